-- Whoever asks the same again is answered with what was stored. How an answer is watched while it is made is no part of the question.
create index jobs_by_request on parse3d.jobs using hash ((request - '{fromSlice,preview}'::text[]));
