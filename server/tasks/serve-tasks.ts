import type { MessagePort } from "node:worker_threads";
import { DomainError } from "#converters/errors.ts";
import { toFailure } from "#server/jobs/index.ts";
import type { FromTaskThread, Tasks, ToTaskThread } from "./task.ts";

export type TaskHandlers = {
  readonly [Kind in keyof Tasks]: (
    request: Tasks[Kind]["request"],
    options: { readonly signal: AbortSignal },
  ) => Promise<Tasks[Kind]["answer"]>;
};

/** The thread's half of `openTaskThread`. @param port `parentPort` of node:worker_threads */
export function serveTasks(port: MessagePort, handlers: TaskHandlers): void {
  const running = new Map<number, AbortController>();
  const send = (message: FromTaskThread) => port.postMessage(message);

  async function start(id: number, kind: keyof Tasks, request: unknown): Promise<void> {
    const abort = new AbortController();
    running.set(id, abort);
    try {
      send({ type: "done", id, answer: await handlers[kind](request as never, { signal: abort.signal }) });
    } catch (error) {
      if (error instanceof DomainError) send({ type: "failed", id, failure: toFailure(error) });
      else send({ type: "threw", id, ...wordsOf(error) });
    } finally {
      running.delete(id);
    }
  }

  port.on("message", (message: ToTaskThread) => {
    if (message.type === "cancel") running.get(message.id)?.abort(new DOMException("Nobody waits.", "AbortError"));
    else void start(message.id, message.kind, message.request);
  });
}

function wordsOf(error: unknown): { readonly message: string; readonly stack?: string } {
  if (!(error instanceof Error)) return { message: String(error) };
  return { message: error.message, ...(error.stack && { stack: error.stack }) };
}
