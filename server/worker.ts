import { parentPort, workerData } from "node:worker_threads";
import { type FromWorker, serveWorker } from "#server/jobs/index.ts";
import { openPorts } from "./app.ts";
import type { Config } from "./config.ts";
import { createLogger } from "./logger.ts";
import { openProbabilityFiles } from "./probabilities/index.ts";
import { createJobRunner } from "./run-job.ts";

/** The thread in which jobs are done, so that decoding and encoding never delay an answer of the server. */
if (!parentPort) throw new Error("server/worker.ts runs as a worker thread");
const config = workerData as Config;
const port = parentPort;
const ports = await openPorts(config, createLogger(config.log), (state) =>
  port.postMessage({ type: "notice", notice: state } satisfies FromWorker),
);
const run = createJobRunner(ports, openProbabilityFiles(config.probabilities));
serveWorker(port, { run, [Symbol.asyncDispose]: () => ports[Symbol.asyncDispose]() });
void ports.models.warmUp();
