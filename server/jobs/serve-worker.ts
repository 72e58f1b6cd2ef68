import type { MessagePort } from "node:worker_threads";
import { DomainError } from "#converters/errors.ts";
import { JobCancelledError } from "./errors.ts";
import { toFailure } from "./failure.ts";
import type { JobRunner } from "./job.ts";
import type { FromWorker, ToWorker } from "./worker-messages.ts";

/** What a worker thread does: run jobs, and let go of what it holds when it is closed. */
export interface WorkerHandler extends AsyncDisposable {
  readonly run: JobRunner;
}

/**
 * The worker's half of `runInWorker`: does what the main thread asks until it is closed.
 * @param port `parentPort` of node:worker_threads
 */
export function serveWorker(port: MessagePort, handler: WorkerHandler): void {
  const running = new Map<string, AbortController>();
  const send = (message: FromWorker) => port.postMessage(message);

  async function start({ jobId, request, elsewhere }: Extract<ToWorker, { type: "start" }>): Promise<void> {
    const abort = new AbortController();
    running.set(jobId, abort);
    try {
      const result = await handler.run(request, {
        jobId,
        signal: abort.signal,
        elsewhere,
        progress: (stage, fraction, detail) =>
          send({ type: "progress", jobId, stage, fraction, ...(detail !== undefined && { detail }) }),
        finding: (finding) => send({ type: "finding", jobId, finding }),
        preview: (slices) => send({ type: "preview", jobId, slices }),
      });
      send({ type: "done", jobId, result });
    } catch (error) {
      send({ jobId, ...describe(error) });
    } finally {
      running.delete(jobId);
    }
  }

  async function close(): Promise<void> {
    for (const abort of running.values()) abort.abort(new JobCancelledError());
    await handler[Symbol.asyncDispose]();
    port.close();
  }

  port.on("message", (message: ToWorker) => {
    switch (message.type) {
      case "start":
        void start(message);
        break;
      case "cancel":
        running.get(message.jobId)?.abort(new JobCancelledError());
        break;
      case "close":
        void close();
        break;
      default:
        message satisfies never;
    }
  });
}

type Ending =
  | { type: "failed"; failure: ReturnType<typeof toFailure> }
  | { type: "threw"; message: string; stack?: string };

function describe(error: unknown): Ending {
  if (error instanceof DomainError) return { type: "failed", failure: toFailure(error) };
  if (!(error instanceof Error)) return { type: "threw", message: String(error) };
  return { type: "threw", message: error.message, ...(error.stack && { stack: error.stack }) };
}
