import type { JobQueue } from "#server/jobs/index.ts";
import type { Handlers } from "./handlers.ts";

/** Who does the jobs. */
export function workerHandlers(queue: JobQueue): Pick<Handlers, "listWorkers"> {
  return {
    listWorkers: async () => ({
      workers: (await queue.workers()).map(({ startedAt, seenAt, models, ...worker }) => ({
        ...worker,
        startedAt: startedAt.toISOString(),
        seenAt: seenAt.toISOString(),
        models: models.map(({ name }) => name),
      })),
    }),
  };
}
