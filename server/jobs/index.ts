export {
  BacklogFullError,
  JobCancelledError,
  JobConflictError,
  JobNotFoundError,
  StorageFullError,
} from "./errors.ts";
export { type Failure, RemoteError, toFailure } from "./failure.ts";
export {
  hasEnded,
  type Job,
  type JobEvent,
  type JobRequest,
  type JobResult,
  type JobRun,
  type JobRunner,
  type JobState,
  jobStates,
  type PreviewEvent,
  type Priority,
  priorities,
  type Recut,
  type SeriesJobRequest,
  type SucceededJob,
} from "./job.ts";
export type { JobQuery, JobQueue, Submission } from "./job-queue.ts";
export { MemoryJobQueue, type MemoryJobQueueOptions } from "./memory-job-queue.ts";
export { PostgresJobQueue, type PostgresJobQueueOptions } from "./postgres/postgres-job-queue.ts";
export { defaultRetryPolicy, type RetryPolicy } from "./retry-policy.ts";
export { runJob } from "./run-job.ts";
export { type AskedOfSeries, askedPrompts, seriesJobRequest, thresholdsOf } from "./series-request.ts";
export { serveWorker } from "./serve-worker.ts";
export { type StageLimits, withStageLimits } from "./stage-limits.ts";
export type { RoomCheck, WorkerDevice, WorkerOffer, WorkerState } from "./worker.ts";
export type { FromWorker } from "./worker-messages.ts";
export { runInWorker } from "./worker-thread.ts";
