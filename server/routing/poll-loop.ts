import { setTimeout as sleep } from "node:timers/promises";
import { DomainError } from "#converters/errors.ts";
import type { Logger } from "../logger.ts";

export interface PollLoop extends AsyncDisposable {
  /** Looks now. */
  wake(): void;
}

export interface PollLoopOptions {
  readonly logger: Logger;
  readonly pollMs: number;
  /** One look; where it throws, the next one is as due as ever. */
  look(isClosed: () => boolean): Promise<void>;
  /** After the last look. */
  letGo(): Promise<void>;
}

/** Looks again and again, one look at a time, until disposed. */
export function startPollLoop({ logger, pollMs, look, letGo }: PollLoopOptions): PollLoop {
  const closed = new AbortController();
  let woken = Promise.withResolvers<void>();
  const isClosed = () => closed.signal.aborted;

  const loop = (async () => {
    while (!isClosed()) {
      woken = Promise.withResolvers();
      try {
        await look(isClosed);
      } catch (error) {
        if (isClosed()) return;
        logger.warn({ event: "routing.look-failed", ...reasonOf(error) });
      }
      const timer = sleep(pollMs, undefined, { signal: closed.signal }).catch(() => {});
      await Promise.race([timer, woken.promise]);
    }
  })();

  return {
    wake: () => woken.resolve(),
    [Symbol.asyncDispose]: async () => {
      closed.abort();
      woken.resolve();
      await loop;
      await letGo().catch(() => {});
    },
  };
}

/** What the log says of an error: a foreseen one in its own words. */
export function reasonOf(error: unknown) {
  return error instanceof DomainError ? { code: error.code, reason: error.message } : { err: error };
}
