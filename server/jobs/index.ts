export { BacklogFullError, JobCancelledError, JobConflictError, JobNotFoundError } from "./errors.ts";
export { type Failure, RemoteError, toFailure } from "./failure.ts";
export {
  type EndedJob,
  hasEnded,
  type ImageJobRequest,
  type Job,
  type JobEvent,
  type JobRequest,
  type JobResult,
  type JobRun,
  type JobRunner,
  type SeriesJobRequest,
} from "./job.ts";
export type { JobQueue, QueueLoad, Submission } from "./job-queue.ts";
export { MemoryJobQueue, type MemoryJobQueueOptions } from "./memory-job-queue.ts";
export { runJob } from "./run-job.ts";
export { serveWorker, type WorkerHandler } from "./serve-worker.ts";
export { runInWorker, type WorkerOptions, type WorkerRunner } from "./worker-thread.ts";
