-- What people think of results. Without a reference to the job: a verdict counts longer than a job is remembered.
create table parse3d.reviews (
  job_id text not null,
  job_owner text not null,
  reviewer text not null,
  verdict text not null check (verdict in ('accepted', 'edited', 'rejected')),
  reason text,
  reviewed_at timestamptz not null,
  study_instance_uid text not null,
  series_instance_uid text not null,
  model jsonb not null,
  prompts jsonb not null,
  -- The edited SEG.
  seg jsonb,
  primary key (job_id, reviewer)
);
create index reviews_of_owner on parse3d.reviews (job_owner, reviewed_at);
