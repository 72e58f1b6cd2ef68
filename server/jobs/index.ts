export { BacklogFullError, JobCancelledError, JobConflictError, JobNotFoundError } from "./errors.ts";
export { type Failure, RemoteError, toFailure } from "./failure.ts";
export {
  hasEnded,
  type Job,
  type JobEvent,
  type JobRequest,
  type JobResult,
  type JobRun,
  type JobRunner,
} from "./job.ts";
export type { JobQueue } from "./job-queue.ts";
export { MemoryJobQueue, type MemoryJobQueueOptions } from "./memory-job-queue.ts";
export { runJob } from "./run-job.ts";
export { serveWorker } from "./serve-worker.ts";
export { runInWorker } from "./worker-thread.ts";
