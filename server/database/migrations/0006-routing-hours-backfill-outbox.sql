-- Begins only within these hours ({"from": "22:00", "to": "06:00", "timeZone": "Europe/Berlin"}); null: at any time.
alter table parse3d.jobs
  add column hours jsonb,
  -- Where its results are sent on to.
  add column destination jsonb;

-- Seconds from `at` until such hours begin; 0: within them, or there are none. `from` belongs to them, `to` does not.
create function parse3d.seconds_until(hours jsonb, at timestamptz) returns double precision language plpgsql stable as $$
declare
  zone text := hours ->> 'timeZone';
  opens time := (hours ->> 'from')::time;
  closes time := (hours ->> 'to')::time;
  here timestamp;
  opening timestamptz;
begin
  if hours is null then
    return 0;
  end if;
  here := at at time zone zone;
  if (opens < closes and here::time >= opens and here::time < closes)
    or (opens > closes and (here::time >= opens or here::time < closes)) then
    return 0;
  end if;
  opening := (here::date + opens) at time zone zone;
  if opening <= at then
    opening := (here::date + 1 + opens) at time zone zone;
  end if;
  return extract(epoch from opening - at);
end $$;

-- Series of the archive that a rule is still to be asked of, one every so many seconds.
create table parse3d.backfills (
  archive text not null,
  rule_id text not null,
  every_seconds double precision not null check (every_seconds > 0),
  next_at timestamptz not null default now(),
  primary key (archive, rule_id)
);
create table parse3d.backfill_series (
  archive text not null,
  rule_id text not null,
  resource_id text not null,
  position bigint generated always as identity,
  primary key (archive, rule_id, resource_id)
);

-- What an archive without a list of changes was seen to hold.
create table parse3d.seen_series (
  archive text not null,
  study_instance_uid text not null,
  series_instance_uid text not null,
  instance_count integer not null,
  -- Since when it holds so many.
  counted_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  -- Null: nothing is to be decided about it, as long as it holds so many.
  look_after timestamptz,
  primary key (archive, study_instance_uid, series_instance_uid)
);

-- What is owed to others: results to be sent on, and notices of jobs that ended. Kept until it was taken, or given up.
create table parse3d.outbox (
  id text primary key,
  kind text not null check (kind in ('destination', 'notice')),
  job_id text not null,
  content jsonb not null,
  tries integer not null default 0,
  next_at timestamptz not null default now(),
  given_up_at timestamptz,
  -- Why the last try failed.
  reason text,
  created_at timestamptz not null default now()
);
create index outbox_due on parse3d.outbox (kind, next_at) where given_up_at is null;

-- Of which jobs notices are wanted: `all`, or those of `routing` rules. No row: of none.
create table parse3d.notices_wanted (
  only_one boolean primary key default true check (only_one),
  jobs text not null check (jobs in ('routing', 'all'))
);

-- In the transaction in which the job ends: neither is lost where the process dies right after it.
create function parse3d.owe_for_ended_job() returns trigger language plpgsql as $$
declare
  stored record;
begin
  if new.state = 'succeeded' and new.destination is not null then
    for stored in select value from jsonb_each(new.result) where key in ('seg', 'sr', 'rtstruct', 'sc') loop
      if stored.value ->> 'sopInstanceUid' is not null then
        insert into parse3d.outbox (id, kind, job_id, content) values (gen_random_uuid()::text, 'destination', new.id,
          jsonb_build_object('destination', new.destination, 'instance', stored.value));
      end if;
    end loop;
  end if;
  if exists (select 1 from parse3d.notices_wanted where jobs = 'all' or new.rule_id is not null) then
    insert into parse3d.outbox (id, kind, job_id, content) values (gen_random_uuid()::text, 'notice', new.id,
      jsonb_build_object('state', new.state, 'priority', new.priority, 'ruleId', new.rule_id,
        'finishedAt', new.finished_at, 'code', new.failure ->> 'code', 'series', new.request -> 'series',
        'stored', (select coalesce(jsonb_agg(value ->> 'sopInstanceUid'), '[]') from jsonb_each(coalesce(new.result, '{}'))
           where key in ('seg', 'sr', 'rtstruct', 'sc') and value ->> 'sopInstanceUid' is not null)));
  end if;
  return null;
end $$;
create trigger owe_for_ended_job after update of state on parse3d.jobs for each row
  when (new.state in ('succeeded', 'failed', 'cancelled') and old.state in ('queued', 'running'))
  execute function parse3d.owe_for_ended_job();
