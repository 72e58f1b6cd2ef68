-- When a server last said that it wants them: one without a receiver does not speak for the others.
alter table parse3d.notices_wanted add column renewed_at timestamptz not null default now();
