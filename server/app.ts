import { readFileSync } from "node:fs";
import { type ModelStore, openModelStore } from "#models/index.ts";
import { type Archive, openDicomweb } from "#server/dicomweb/index.ts";
import { deterministicUid, type Ports, SeriesNotFoundError } from "#server/domain/index.ts";
import { createModelRegistry, type EngineRegistry } from "#server/engines/index.ts";
import { createMetrics, type HttpServer, startHttpServer } from "#server/http/index.ts";
import { defaultRetryPolicy, runInWorker } from "#server/jobs/index.ts";
import { startRouting } from "#server/routing/index.ts";
import type { Config, PacsCredentials } from "./config.ts";
import type { Logger } from "./logger.ts";
import { openQueue } from "./open-queue.ts";

export const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

/** The ports of the feature, each with its real adapter. Disposing them ends inference processes and connections. */
export interface AppPorts extends Ports, AsyncDisposable {
  readonly models: EngineRegistry;
  readonly archive: Archive;
  readonly store: ModelStore;
}

/** Opens everything that segmenting takes; nothing connects or loads before it is used. The built-in model is there afterwards. */
export async function openPorts(config: Config, logger: Logger): Promise<AppPorts> {
  const store = openModelStore(config.modelsFolder);
  await store.ensureBuiltIn();
  const { broken } = await store.inspect();
  for (const { error } of broken) logger.warn({ event: "model.broken", err: error });
  const { executionProvider, threads } = config.inference;
  const models = createModelRegistry({
    installed: () => store.list(),
    executionProvider,
    logger,
    ...(threads !== undefined && { threads }),
  });
  const dicomweb = openArchive(config, logger);
  return {
    source: dicomweb.source,
    sink: dicomweb.sink,
    archive: dicomweb.archive,
    models,
    store,
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

/** The whole service: HTTP here, jobs in a thread of their own, models in processes of their own. */
export async function startServer(config: Config, logger: Logger): Promise<HttpServer> {
  const store = openModelStore(config.modelsFolder);
  await store.ensureBuiltIn();
  if (config.unknownVariables.length > 0) {
    logger.warn({ event: "config.unknown-variables", variables: config.unknownVariables.join(", ") });
  }
  const dicomweb = openArchive(config, logger);
  const metrics = createMetrics();
  const worker = runInWorker({ entry: new URL("./worker.ts", import.meta.url), logger, workerData: config });
  const { attempts, ...limits } = config.jobs;
  const retry = { ...defaultRetryPolicy, attempts };
  await using opening = new AsyncDisposableStack();
  opening.use(dicomweb);
  opening.use(worker);
  const jobs = opening.use(
    await openQueue(config.database, { runner: metrics.measure(worker.run), logger, retry, ...limits }),
  );
  metrics.watch(jobs.queue);
  const { durable } = jobs;
  const headers = authorization(config.pacs.credentials);
  const routing =
    durable && config.routing.kind === "orthanc"
      ? opening.use(startRouting({ ...durable, logger, orthanc: { ...config.routing, headers } }))
      : undefined;
  const http = await startHttpServer(config.http, {
    queue: jobs.queue,
    metrics,
    logger,
    version,
    ...(routing && { routing }),
    models: async () => (await store.list()).map(({ card }) => card),
    checks: {
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

function openArchive({ pacs }: Config, logger: Logger) {
  const { timeouts } = pacs;
  return openDicomweb({
    url: pacs.url,
    headers: authorization(pacs.credentials),
    timeouts,
    logger,
  });
}

function authorization(credentials: PacsCredentials): Readonly<Record<string, string>> {
  switch (credentials.kind) {
    case "none":
      return {};
    case "bearer":
      return { Authorization: `Bearer ${credentials.token}` };
    case "basic": {
      const pair = Buffer.from(`${credentials.user}:${credentials.password}`).toString("base64");
      return { Authorization: `Basic ${pair}` };
    }
    default:
      return credentials satisfies never;
  }
}
