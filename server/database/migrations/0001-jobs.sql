-- Processes that take jobs. One whose heartbeat stops is gone; what it ran is taken from it.
create table parse3d.workers (
  id text primary key,
  host text not null,
  pid integer not null,
  started_at timestamptz not null default now(),
  heartbeat_at timestamptz not null default now()
);

create table parse3d.jobs (
  id text primary key,
  -- The order of submission.
  submitted bigint generated always as identity unique,
  owner text not null,
  request_id text not null,
  request jsonb not null,
  -- Hash of owner and request; null where a twin may run beside it.
  question text,
  -- 0 interactive, 1 routed, 2 batch.
  priority smallint not null check (priority between 0 and 2),
  rule_id text,
  -- Only this worker can do it: the request names files of its machine.
  pinned_to text,
  state text not null default 'queued' check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  stage text not null default 'queued',
  fraction double precision not null default 0,
  detail text,
  -- Runs that have begun, and how many there may be.
  attempt integer not null default 0,
  attempts integer not null,
  run_after timestamptz not null default now(),
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  result jsonb,
  failure jsonb,
  worker_id text,
  cancelling boolean not null default false,
  -- The id of its newest event.
  last_event integer not null default 0,
  check ((state = 'running') = (worker_id is not null)),
  check ((state in ('succeeded', 'failed', 'cancelled')) = (finished_at is not null))
);
create unique index jobs_one_answer on parse3d.jobs (question) where state in ('queued', 'running') and not cancelling;
create index jobs_waiting on parse3d.jobs (priority, submitted) where state = 'queued';
create index jobs_running on parse3d.jobs (worker_id) where state = 'running';
create index jobs_ended on parse3d.jobs (finished_at) where finished_at is not null;
create index jobs_of_owner on parse3d.jobs (owner, submitted);

-- All states, the latest finding of each prompt, the latest progress.
create table parse3d.job_events (
  job_id text not null references parse3d.jobs on delete cascade,
  id integer not null,
  at timestamptz not null default now(),
  type text not null check (type in ('state', 'progress', 'finding')),
  prompt_id text,
  news jsonb not null,
  primary key (job_id, id)
);

create table parse3d.findings (
  job_id text not null references parse3d.jobs on delete cascade,
  prompt_id text not null,
  event_id integer not null,
  present boolean not null,
  score double precision,
  volume_ml double precision,
  finding jsonb not null,
  primary key (job_id, prompt_id)
);

-- What this program has put into the archive. Kept when the job is forgotten: it is what tells our own results from new images.
create table parse3d.stored_instances (
  sop_instance_uid text primary key,
  series_instance_uid text not null,
  study_instance_uid text not null,
  job_id text references parse3d.jobs on delete set null,
  stored_at timestamptz not null default now()
);
create index stored_instances_of_series on parse3d.stored_instances (series_instance_uid);
