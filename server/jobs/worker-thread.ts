import { Worker } from "node:worker_threads";
import type { Logger } from "../logger.ts";
import { WorkerLostError } from "./errors.ts";
import { RemoteError } from "./failure.ts";
import type { JobResult, JobRun, JobRunner } from "./job.ts";
import type { FromWorker, ToWorker } from "./worker-messages.ts";

export interface WorkerOptions {
  /** The module that calls `serveWorker`. */
  readonly entry: URL;
  readonly logger: Logger;
  /** Plain data for the module: `workerData` of node:worker_threads. */
  readonly workerData?: unknown;
  /** A worker that has not let go of a cancelled job after so long is ended by force; default 5000. */
  readonly cancelGraceMs?: number;
  /** Told what the module says of itself, outside of jobs. */
  readonly onNotice?: (notice: unknown) => void;
}

export interface WorkerRunner extends AsyncDisposable {
  readonly run: JobRunner;
}

interface Waiting {
  readonly run: JobRun;
  readonly ended: PromiseWithResolvers<JobResult>;
}

/**
 * Runs jobs in a thread of their own, so that no work of theirs delays the server's answers. Where the thread dies, its
 * jobs fail with a retryable WorkerLostError and the next job gets a new thread.
 */
export function runInWorker(options: WorkerOptions): WorkerRunner {
  let thread: Thread | undefined = new Thread(options);
  let disposed = false;
  return {
    run: (request, run) => {
      if (disposed) throw new WorkerLostError("The server is shutting down. Ask again when it is back.");
      if (!thread?.alive) thread = new Thread(options);
      return thread.run(request, run);
    },
    [Symbol.asyncDispose]: async () => {
      disposed = true;
      await thread?.close();
      thread = undefined;
    },
  };
}

/** One worker, from its start to its end. */
class Thread {
  alive = true;
  readonly #worker: Worker;
  readonly #options: WorkerOptions;
  readonly #jobs = new Map<string, Waiting>();
  readonly #exit = Promise.withResolvers<void>();

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#worker = new Worker(options.entry, { workerData: options.workerData });
    this.#worker.on("message", (message: FromWorker) => this.#hear(message));
    this.#worker.on("error", (error) => options.logger.error({ event: "worker.broke", err: error }));
    this.#worker.on("exit", (code) => this.#died(code));
  }

  async run(request: Parameters<JobRunner>[0], run: JobRun): Promise<JobResult> {
    run.signal.throwIfAborted();
    const waiting: Waiting = { run, ended: Promise.withResolvers() };
    this.#jobs.set(run.jobId, waiting);
    let force: NodeJS.Timeout | undefined;
    const onAbort = () => {
      this.#tell({ type: "cancel", jobId: run.jobId });
      force = setTimeout(() => void this.#worker.terminate(), this.#options.cancelGraceMs ?? 5000);
    };
    run.signal.addEventListener("abort", onAbort, { once: true });
    this.#tell({ type: "start", jobId: run.jobId, request, elsewhere: run.elsewhere ?? [] });
    try {
      return await waiting.ended.promise;
    } finally {
      clearTimeout(force);
      run.signal.removeEventListener("abort", onAbort);
      this.#jobs.delete(run.jobId);
    }
  }

  /** Lets the worker finish in order; ends it by force where it does not. */
  async close(): Promise<void> {
    if (!this.alive) return;
    this.#tell({ type: "close" });
    const force = setTimeout(() => void this.#worker.terminate(), this.#options.cancelGraceMs ?? 5000);
    await this.#exit.promise;
    clearTimeout(force);
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #hear(message: FromWorker): void {
    if (message.type === "notice") {
      this.#options.onNotice?.(message.notice);
      return;
    }
    const waiting = this.#jobs.get(message.jobId);
    if (!waiting) return;
    const { run, ended } = waiting;
    switch (message.type) {
      case "progress":
        run.progress(message.stage, message.fraction, message.detail);
        break;
      case "finding":
        run.finding(message.finding);
        break;
      case "preview":
        run.preview?.(message.slices);
        break;
      case "done":
        ended.resolve(message.result);
        break;
      case "failed":
        ended.reject(new RemoteError(message.failure));
        break;
      case "threw":
        ended.reject(new Error(`The worker failed: ${message.message}`, { cause: message.stack }));
        break;
      default:
        message satisfies never;
    }
  }

  #died(code: number): void {
    this.alive = false;
    this.#exit.resolve();
    if (this.#jobs.size > 0)
      this.#options.logger.error({ event: "worker.died", exitCode: code, jobs: this.#jobs.size });
    for (const { run, ended } of this.#jobs.values()) {
      ended.reject(
        run.signal.aborted
          ? run.signal.reason
          : new WorkerLostError("The worker that ran this job ended unexpectedly. A new one starts; ask again."),
      );
    }
  }
}
