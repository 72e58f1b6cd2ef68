-- Whoever asks the same again is answered with what was stored.
create index jobs_by_request on parse3d.jobs using hash (request);
