export { type CohortFolder, openCohortFolder } from "./cohort-folder.ts";
export { type ReadPlan, readPlan } from "./plan.ts";
export { type Replay, replaySeg } from "./replay-seg.ts";
export { type CohortSummary, PARQUET_TABLE, runCohort, TABLE } from "./run-cohort.ts";
