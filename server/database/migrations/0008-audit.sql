-- Who asked for, changed or looked at what through the API. No prompt, no UID, no token; kept longer than jobs are.
create table parse3d.audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  -- As in parse3d.jobs.owner: a hash of the token, or "local".
  actor text not null,
  -- The route's name in the contract, like putRule.
  action text not null,
  -- The id of a job or of a rule.
  subject text,
  -- What the server's log knows the request by.
  request_id text not null,
  status smallint not null
);
create index audit_at on parse3d.audit (at);
