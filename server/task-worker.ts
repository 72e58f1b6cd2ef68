import { parentPort, workerData } from "node:worker_threads";
import { deterministicUid, editSeries, pictureOfResult } from "#server/domain/index.ts";
import { serveTasks } from "#server/tasks/index.ts";
import type { Config } from "./config.ts";
import { createLogger } from "./logger.ts";
import { openArchive } from "./open-archive.ts";
import { pngOf } from "./png.ts";

/** The thread in which edited masks are stored and pictures are made. */
if (!parentPort) throw new Error("server/task-worker.ts runs as a worker thread");
const config = workerData as Config;
const { source, sink, archive } = openArchive(config, createLogger(config.log));
const ports = {
  source,
  sink,
  now: () => new Date(),
  newUid: deterministicUid,
  results: { fetch: archive.fetchInstance },
};
serveTasks(parentPort, {
  edit: (request, run) => editSeries(ports, request, run),
  picture: async (request, run) => pngOf(await pictureOfResult(ports, request, run)),
});
