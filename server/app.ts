import { readFileSync } from "node:fs";
import { type ModelStore, openModelStore } from "#models/index.ts";
import type { Archive } from "#server/dicomweb/index.ts";
import { deterministicUid, keepRecentSeries, type Ports, SeriesNotFoundError } from "#server/domain/index.ts";
import { createModelRegistry, type EngineRegistry, type WarmState } from "#server/engines/index.ts";
import { createMetrics, type HttpServer, startHttpServer } from "#server/http/index.ts";
import { StorageFullError } from "#server/jobs/index.ts";
import { openProbabilityFiles } from "#server/probabilities/index.ts";
import { memoryReviews, postgresReviews } from "#server/reviews/index.ts";
import { openTaskThread } from "#server/tasks/index.ts";
import { createAnswerStands } from "./answer-stands.ts";
import { openAuditLog } from "./audit-log.ts";
import { cachedSeries } from "./cached-series.ts";
import type { Config } from "./config.ts";
import { ensureDataFolder } from "./data-folder.ts";
import type { Logger } from "./logger.ts";
import { openNiftiFolder } from "./nifti-folder.ts";
import { authorization, openArchive } from "./open-archive.ts";
import { describeWorkers, openJobs, refuseWithoutSharedDatabase } from "./open-jobs.ts";
import { openOutbox } from "./open-outbox.ts";
import { openRouting } from "./open-routing.ts";
import { removeSuperseded } from "./remove-superseded.ts";
import { offeredModels, openWork } from "./work.ts";

export const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

/** The ports of the feature, each with its real adapter. Disposing them ends inference processes and connections. */
export interface AppPorts extends Ports, AsyncDisposable {
  readonly models: EngineRegistry;
  readonly archive: Archive;
  readonly store: ModelStore;
}

/** Of the series of the last question: a CT of 512 x 512 x 1000 voxels, for as long as somebody may be asking on. */
const KEPT_DECODED = { maxBytes: 2 ** 29, keepMs: 600_000 } as const;

/** Opens everything that segmenting takes; nothing connects or loads before it is used. The built-in model is there afterwards. */
export async function openPorts(
  config: Config,
  logger: Logger,
  onWarm: (state: WarmState) => void = () => {},
): Promise<AppPorts> {
  const store = await openStore(config);
  const { broken } = await store.inspect();
  for (const { error } of broken) logger.warn({ event: "model.broken", err: error });
  const { executionProvider, threads, anticipate, remoteKeys, idleMs, gpus, warm } = config.inference;
  const models = createModelRegistry({
    installed: () => offeredModels(config, store),
    executionProvider,
    logger,
    ...(threads !== undefined && { threads }),
    ...(anticipate !== undefined && { anticipate }),
    ...(remoteKeys && { remoteKeys }),
    ...(gpus && { gpus }),
    idleMs,
    warm,
    onWarm,
  });
  const dicomweb = openArchive(config, logger);
  return {
    source: cachedSeries(config, dicomweb, logger),
    sink: dicomweb.sink,
    ...(config.nifti && { niftiFolder: openNiftiFolder(config.nifti) }),
    archive: dicomweb.archive,
    models,
    store,
    recent: keepRecentSeries(KEPT_DECODED),
    now: () => new Date(),
    newUid: deterministicUid,
    async [Symbol.asyncDispose]() {
      await models[Symbol.asyncDispose]();
      dicomweb[Symbol.dispose]();
    },
  };
}

/** The study that a series belongs to. @throws SeriesNotFoundError, and as the archive does */
export async function studyOf(
  archive: Archive,
  seriesInstanceUid: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<string> {
  const found = await archive.searchSeries({ seriesInstanceUid }, { signal });
  const studies = new Set(found.flatMap(({ studyInstanceUid }) => studyInstanceUid ?? []));
  const [study] = studies;
  if (study === undefined) throw new SeriesNotFoundError("The archive holds no such series. Check the UID.");
  if (studies.size > 1) {
    throw new SeriesNotFoundError("The archive holds this series in several studies. Name one with --study.");
  }
  return study;
}

/**
 * The whole service: HTTP here, jobs in a thread of their own, models in processes of their own.
 * @param options.works false: other machines do the jobs
 */
export async function startServer(
  config: Config,
  logger: Logger,
  { works = true }: { readonly works?: boolean } = {},
): Promise<HttpServer> {
  if (!works) refuseWithoutSharedDatabase(config, "serve --no-worker");
  const store = await openStore(config);
  if (config.unknownVariables.length > 0) {
    logger.warn({ event: "config.unknown-variables", variables: config.unknownVariables.join(", ") });
  }
  const dicomweb = openArchive(config, logger);
  const metrics = createMetrics();
  await using opening = new AsyncDisposableStack();
  opening.use(dicomweb);
  const work = opening.use(openWork(config, logger, { store, version, works }));
  const jobs = opening.use(await openJobs(config, logger, work, metrics));
  metrics.watch(jobs.queue);
  const workers = async () => (await jobs.queue.workers()).flatMap(({ models }) => models);
  const { durable } = jobs;
  const headers = authorization(config.pacs.credentials);
  if (durable && config.routing.kind !== "off" && config.routing.superseded === "remove" && config.routing.url) {
    opening.use(removeSuperseded({ db: durable.db, logger, orthancUrl: config.routing.url, headers }));
  }
  const outbox =
    durable && opening.use(await openOutbox(config, { db: durable.db, logger, archive: dicomweb.archive }));
  const own = async () => (works ? (await offeredModels(config, store)).map(({ card }) => card) : []);
  // Of one name the machine's own.
  const offered = async () => [
    ...new Map([...(await workers()), ...(await own())].map((card) => [card.name, card])).values(),
  ];
  const routing =
    durable && outbox && openRouting(config, logger, { ...durable, dicomweb, ...outbox, models: offered });
  if (routing) opening.use(routing);
  const tasks = opening.use(
    openTaskThread({ entry: new URL("./task-worker.ts", import.meta.url), logger, workerData: config }),
  );
  const reviews = durable ? postgresReviews(durable.db) : memoryReviews();
  const probabilities = openProbabilityFiles(config.probabilities);
  void probabilities.sweep().catch((err) => logger.warn({ event: "probabilities.not-swept", err }));
  const http = await startHttpServer(config.http, {
    queue: jobs.queue,
    reviews,
    tasks: tasks.run,
    probabilities,
    metrics,
    logger,
    version,
    answerStands: createAnswerStands({
      archive: dicomweb.archive,
      models: async () => [...(await workers()), ...(await own())],
      reviews,
      probabilities,
      logger,
    }),
    ...(routing && { routing }),
    ...(durable && { audit: await openAuditLog(durable.db) }),
    ...(work.computedOn && { computedOn: work.computedOn }),
    models: works ? own : offered,
    admit: async () => {
      const lack = await work.disk();
      if (lack !== undefined) throw new StorageFullError(lack);
    },
    checks: {
      disk: async () => {
        const lack = await work.disk();
        if (lack !== undefined) throw new StorageFullError(lack);
        return undefined;
      },
      ...(work.warm && { warm: work.warm }),
      ...(config.database.kind === "server" && { workers: () => describeWorkers(jobs.queue) }),
      archive: async ({ signal }) => {
        await dicomweb.archive.searchStudies({ limit: 1 }, { signal });
        return undefined;
      },
    },
  });
  const opened = opening.move();
  return {
    ...http,
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      await opened.disposeAsync();
    },
  };
}

/** A process that only does jobs, for the servers that share its database. */
export async function startWorker(config: Config, logger: Logger): Promise<AsyncDisposable> {
  refuseWithoutSharedDatabase(config, "worker");
  const store = await openStore(config);
  await using opening = new AsyncDisposableStack();
  const work = opening.use(openWork(config, logger, { store, version, works: true }));
  opening.use(await openJobs(config, logger, work, createMetrics()));
  const opened = opening.move();
  return { [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** The models in the data folder, with the built-in one. @throws ConfigError where the folder cannot be used */
async function openStore({ dataFolder, modelsFolder }: Config): Promise<ModelStore> {
  await ensureDataFolder(dataFolder);
  const store = openModelStore(modelsFolder);
  await store.ensureBuiltIn();
  return store;
}
