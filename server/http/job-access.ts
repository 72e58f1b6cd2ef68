import { type Job, JobNotFoundError, type JobQueue } from "#server/jobs/index.ts";
import { ROUTING_OWNER } from "#server/routing/index.ts";

/** A job that the owner may see; another user's is not there, those of the routing rules are everybody's. */
export type JobAccess = (id: string, owner: string) => Promise<Job>;

export function jobAccess(queue: Pick<JobQueue, "get">): JobAccess {
  return async (id, owner) => {
    const job = await queue.get(id);
    if (job.owner !== owner && job.owner !== ROUTING_OWNER) throw new JobNotFoundError();
    return job;
  };
}
