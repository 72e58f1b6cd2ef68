import { hasEnded, JobConflictError, type JobQueue, seriesJobRequest } from "#server/jobs/index.ts";
import { ROUTING_OWNER } from "#server/routing/index.ts";
import type { Handlers } from "./handlers.ts";
import { jobAccess } from "./job-access.ts";
import { viewEvent, viewJob } from "./job-view.ts";

/** Jobs about series of the archive. Another user's job is not there; those of the routing rules are everybody's. */
export function jobHandlers(
  queue: JobQueue,
): Pick<Handlers, "submitJob" | "listJobs" | "readJob" | "jobEvents" | "cancelJob" | "retryJob"> {
  const ownJob = jobAccess(queue);

  return {
    submitJob: async ({ body }, { owner, requestId }) => {
      const { studyInstanceUid, seriesInstanceUid, priority, force, preview, keepProbabilities, ...asked } = body;
      const request = {
        ...seriesJobRequest({ studyInstanceUid, seriesInstanceUid }, asked),
        ...(preview && { preview }),
        ...(keepProbabilities && { keepProbabilities }),
      };
      const job = await queue.submit(request, { owner, requestId, priority, force });
      return viewJob(job);
    },

    listJobs: async ({ query }, { owner }) => ({
      jobs: (
        await queue.list({
          owners: [query.submittedBy === "routing" ? ROUTING_OWNER : owner],
          limit: query.limit,
          ...(query.state && { states: [query.state] }),
          ...(query.studyInstanceUid !== undefined && { studyInstanceUid: query.studyInstanceUid }),
        })
      ).map(viewJob),
    }),

    readJob: async ({ params }, { owner }) => viewJob(await ownJob(params.id, owner)),

    jobEvents: async ({ params, headers }, { owner, signal }) => {
      const job = await ownJob(params.id, owner);
      const after = headers["last-event-id"] ?? 0;
      const events = queue.events(params.id, { after, signal });
      if (!hasEnded(job)) return mapped(events, viewEvent);
      const probe = events[Symbol.asyncIterator]();
      const first = await probe.next();
      await probe.return?.();
      return first.done ? undefined : mapped(queue.events(params.id, { after, signal }), viewEvent);
    },

    cancelJob: async ({ params }, { owner }) => {
      const job = await ownJob(params.id, owner);
      if (hasEnded(job) && job.state !== "cancelled") {
        throw new JobConflictError("The job has ended already; it cannot be cancelled.");
      }
      return viewJob(await queue.cancel(params.id));
    },

    retryJob: async ({ params }, { owner }) => viewJob(await queue.retry((await ownJob(params.id, owner)).id)),
  };
}

async function* mapped<T, U>(items: AsyncIterable<T>, view: (item: T) => U): AsyncGenerator<U> {
  for await (const item of items) yield view(item);
}
