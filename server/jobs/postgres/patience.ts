import { setTimeout as sleep } from "node:timers/promises";

/** Waits for the promise, the time or the abort, whichever is first. */
export async function within(promise: Promise<void>, ms: number, signal?: AbortSignal): Promise<void> {
  const timer = new AbortController();
  const stop = signal ? AbortSignal.any([signal, timer.signal]) : timer.signal;
  await Promise.race([promise, sleep(ms, undefined, { signal: stop }).catch(() => {})]);
  timer.abort();
}

/** Does the work again and again, never twice at the same time; what it throws is told, and the next turn comes. */
export function every(ms: number, work: () => Promise<void>, onError: (error: unknown) => void): Disposable {
  let busy = false;
  const timer = setInterval(async () => {
    if (busy) return;
    busy = true;
    await work().catch(onError);
    busy = false;
  }, ms).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
