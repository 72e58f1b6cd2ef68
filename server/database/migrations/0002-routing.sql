-- Routing rules, in the order in which they were first added.
create table parse3d.rules (
  id text primary key,
  position bigint generated always as identity,
  rule jsonb not null,
  updated_at timestamptz not null default now()
);

-- How far the changes of an archive were read. One process at a time reads them.
create table parse3d.archive_cursors (
  archive text primary key,
  seq bigint not null,
  -- The change at that number: another one in its place means that the archive began anew.
  change text,
  holder text,
  held_until timestamptz not null default now()
);

-- Series that something arrived in and that are not decided on yet.
create table parse3d.pending_series (
  archive text not null,
  -- The archive's own id.
  resource_id text not null,
  seen_at timestamptz not null default now(),
  -- Since when it is complete; null: not yet.
  stable_at timestamptz,
  look_after timestamptz not null default now(),
  primary key (archive, resource_id)
);

-- What a rule asked of which instances: a series that changes is asked anew, one that does not is asked once.
create table parse3d.routed_series (
  series_instance_uid text not null,
  instances text not null,
  rule_id text not null,
  job_id text not null,
  routed_at timestamptz not null default now(),
  primary key (series_instance_uid, instances, rule_id)
);
