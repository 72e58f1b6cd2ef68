import { JobCancelledError } from "./errors.ts";
import { RemoteError } from "./failure.ts";
import { hasEnded, type Job, type JobRequest } from "./job.ts";
import type { JobQueue, Submission } from "./job-queue.ts";

/**
 * Submits a job and waits for its success. An abort cancels it, and is answered only when it has ended.
 * @throws RemoteError with the failure's code, JobCancelledError, BacklogFullError, the signal's reason
 */
export async function runJob(
  queue: JobQueue,
  request: JobRequest,
  from: Submission,
  signal: AbortSignal,
): Promise<Extract<Job, { state: "succeeded" }>> {
  signal.throwIfAborted();
  const { id } = await queue.submit(request, from);
  let job = await queue.get(id);
  for await (const event of queue.events(id, { signal })) if (event.type === "state") job = event.job;
  if (!hasEnded(job)) {
    await queue.cancel(id);
    throw signal.reason;
  }
  if (job.state === "failed") throw new RemoteError(job.failure);
  if (job.state === "cancelled") throw new JobCancelledError();
  return job;
}
