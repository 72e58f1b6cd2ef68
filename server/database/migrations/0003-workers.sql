-- What a process offers, told anew with its heartbeats. No names of models: it takes whatever is asked.
alter table parse3d.workers
  -- False: it only asks; others do the work.
  add column works boolean not null default true,
  add column version text not null default '',
  add column concurrency integer not null default 1,
  add column device jsonb not null default '{}',
  add column models jsonb not null default '[]',
  add column model_names text[],
  -- Why it takes no job now, in plain words.
  add column holds_back text;

-- Only a process that offers this model takes the job: the one that was asked for, or that was chosen among all there are.
alter table parse3d.jobs add column model text;
