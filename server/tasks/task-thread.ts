import { Worker } from "node:worker_threads";
import { ModelUnavailableError } from "#server/domain/index.ts";
import { RemoteError } from "#server/jobs/index.ts";
import type { Logger } from "../logger.ts";
import type { FromTaskThread, TaskRunner, ToTaskThread } from "./task.ts";

export interface TaskThreadOptions {
  /** The module that calls `serveTasks`. */
  readonly entry: URL;
  readonly logger: Logger;
  readonly workerData?: unknown;
  /** The thread ends when it had nothing to do for so long; default 60,000. */
  readonly idleMs?: number;
}

export interface TaskThread extends AsyncDisposable {
  readonly run: TaskRunner;
}

/** Does tasks in a thread of their own, which is there only while it is needed. */
export function openTaskThread({ entry, logger, workerData, idleMs = 60_000 }: TaskThreadOptions): TaskThread {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let worker: Worker | undefined;
  let lastId = 0;
  let idle: NodeJS.Timeout | undefined;
  let disposed = false;

  function awake(): Worker {
    clearTimeout(idle);
    if (worker) return worker;
    const started = new Worker(entry, { workerData });
    started.on("message", (message: FromTaskThread) => hear(message));
    started.on("error", (err) => logger.error({ event: "tasks.broke", err }));
    started.on("exit", () => {
      if (worker !== started) return;
      worker = undefined;
      for (const { reject } of waiting.values()) {
        reject(new ModelUnavailableError("The thread that did this ended unexpectedly. Ask again."));
      }
    });
    worker = started;
    return started;
  }

  function hear(message: FromTaskThread): void {
    const one = waiting.get(message.id);
    switch (message.type) {
      case "done":
        one?.resolve(message.answer);
        break;
      case "failed":
        one?.reject(new RemoteError(message.failure));
        break;
      case "threw":
        one?.reject(new Error(`The task failed: ${message.message}`, { cause: message.stack }));
        break;
      default:
        message satisfies never;
    }
  }

  const run: TaskRunner = async (kind, request, { signal }) => {
    signal.throwIfAborted();
    if (disposed) throw new ModelUnavailableError("The server is shutting down. Ask again when it is back.");
    const id = ++lastId;
    const thread = awake();
    const tell = (message: ToTaskThread) => thread.postMessage(message);
    const answered = Promise.withResolvers<unknown>();
    waiting.set(id, answered);
    const cancel = () => {
      tell({ type: "cancel", id });
      answered.reject(signal.reason);
    };
    signal.addEventListener("abort", cancel, { once: true });
    tell({ type: "start", id, kind, request });
    try {
      // What the thread answers is what the task of this kind answers, by serveTasks.
      return (await answered.promise) as never;
    } finally {
      signal.removeEventListener("abort", cancel);
      waiting.delete(id);
      if (waiting.size === 0) idle = setTimeout(() => void worker?.terminate(), idleMs).unref();
    }
  };

  return {
    run,
    [Symbol.asyncDispose]: async () => {
      disposed = true;
      clearTimeout(idle);
      await worker?.terminate();
    },
  };
}
