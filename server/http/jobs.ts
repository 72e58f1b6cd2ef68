import { type Contract, type InputOf, procedureStepStateOf } from "#server/contract/index.ts";
import {
  hasEnded,
  JobConflictError,
  type JobQueue,
  type JobState,
  jobStates,
  type SeriesJobRequest,
  type SucceededJob,
  seriesJobRequest,
} from "#server/jobs/index.ts";
import { ROUTING_OWNER } from "#server/routing/index.ts";
import type { Handlers } from "./handlers.ts";
import { jobAccess } from "./job-access.ts";
import { viewEvent, viewJob } from "./job-view.ts";

export interface JobParts {
  readonly queue: JobQueue;
  /** Whether a job that succeeded still answers its question; absent: it is asked anew. */
  readonly answerStands?: (job: SucceededJob, options: { readonly signal: AbortSignal }) => Promise<boolean>;
}

/** Jobs about series of the archive. Another user's job is not there; those of the routing rules are everybody's. */
export function jobHandlers({
  queue,
  answerStands,
}: JobParts): Pick<Handlers, "submitJob" | "listJobs" | "readJob" | "jobEvents" | "cancelJob" | "retryJob"> {
  const ownJob = jobAccess(queue);

  async function answered(request: SeriesJobRequest, owner: string, signal: AbortSignal) {
    const job = answerStands && (await queue.findAnswered(request, owner));
    return job && (await answerStands(job, { signal })) ? job : undefined;
  }

  return {
    submitJob: async ({ body }, { owner, requestId, signal }) => {
      const { studyInstanceUid, seriesInstanceUid, priority, force, preview, keepProbabilities, ...asked } = body;
      const request = {
        ...seriesJobRequest({ studyInstanceUid, seriesInstanceUid }, asked),
        ...(preview && { preview }),
        ...(keepProbabilities && { keepProbabilities }),
      };
      const earlier = force ? undefined : await answered(request, owner, signal);
      return viewJob(earlier ?? (await queue.submit(request, { owner, requestId, priority, force })));
    },

    listJobs: async ({ query }, { owner }) => ({
      jobs: (
        await queue.list({
          owners: [query.submittedBy === "routing" ? ROUTING_OWNER : owner],
          limit: query.limit,
          ...((query.state || query.procedureStepState) && { states: statesOf(query) }),
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

/** Those that fit both words. */
function statesOf({ state, procedureStepState }: InputOf<Contract["listJobs"]>["query"]): readonly JobState[] {
  return jobStates.filter(
    (one) =>
      (state === undefined || one === state) &&
      (procedureStepState === undefined || procedureStepStateOf[one] === procedureStepState),
  );
}

async function* mapped<T, U>(items: AsyncIterable<T>, view: (item: T) => U): AsyncGenerator<U> {
  for await (const item of items) yield view(item);
}
