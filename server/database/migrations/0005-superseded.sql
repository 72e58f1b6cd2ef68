-- The job that answered the same question of a rule about the same series anew: late instances, or another model.
alter table parse3d.stored_instances
  add column superseded_by text,
  add column removed_at timestamptz;
create index jobs_of_rules on parse3d.jobs (rule_id, (request -> 'series' ->> 'seriesInstanceUid')) where rule_id is not null;
