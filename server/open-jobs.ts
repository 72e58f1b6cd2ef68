import { ModelUnavailableError } from "#server/domain/index.ts";
import type { createMetrics } from "#server/http/index.ts";
import { defaultRetryPolicy, type JobQueue } from "#server/jobs/index.ts";
import { type Config, ConfigError } from "./config.ts";
import type { Logger } from "./logger.ts";
import { type OpenedQueue, openQueue } from "./open-queue.ts";
import type { Work } from "./work.ts";

/** The queue as the configuration asks for it; this process does jobs of it where there is `work.run`. */
export async function openJobs(
  config: Config,
  logger: Logger,
  work: Work,
  metrics: ReturnType<typeof createMetrics>,
): Promise<OpenedQueue> {
  const { attempts, retryMs, concurrency, ...limits } = config.jobs;
  return openQueue(config.database, {
    runner: metrics.measure(work.run ?? refuse),
    logger,
    retry: { ...defaultRetryPolicy, attempts, firstDelayMs: retryMs },
    ...limits,
    concurrency: work.run ? concurrency : 0,
    offer: work.offer,
    room: work.room,
    silentMs: config.worker.silentMs,
  });
}

/** Who does the jobs, in words. @throws ModelUnavailableError where nobody does */
export async function describeWorkers(queue: JobQueue): Promise<string> {
  const workers = await queue.workers();
  if (workers.length === 0) {
    throw new ModelUnavailableError("No process does jobs: start one with `parse3d worker`, on any machine.");
  }
  const models = [...new Set(workers.flatMap((worker) => worker.models.map(({ name }) => name)))].sort();
  const held = workers.filter(({ holdsBack }) => holdsBack !== undefined).length;
  return `${workers.length} with ${models.join(", ")}${held > 0 ? `; ${held} hold back` : ""}`;
}

/** @throws ConfigError where no other process could share the jobs */
export function refuseWithoutSharedDatabase({ database }: Config, command: string): void {
  if (database.kind === "server") return;
  throw new ConfigError([
    `PARSE3D_DATABASE_URL: parse3d ${command} shares jobs with other processes and needs a PostgreSQL server`,
  ]);
}

async function refuse(): Promise<never> {
  throw new ModelUnavailableError("This process does no jobs.");
}
