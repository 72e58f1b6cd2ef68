import { setTimeout as sleep } from "node:timers/promises";
import { DomainError } from "#converters/errors.ts";
import type { Database, Sql } from "#server/database/index.ts";
import type { Logger } from "../logger.ts";
import { giveUp, type OutboxItem, type OutboxKind, settle, takeDue, tryLater } from "./outbox-table.ts";

export interface OutboxOptions {
  readonly db: Database;
  readonly logger: Logger;
  readonly kind: OutboxKind;
  /** Throws where it was not taken; a DomainError's words are kept. May be called again for what was taken already. */
  deliver(item: OutboxItem, options: { readonly signal: AbortSignal }): Promise<void>;
  /** Within the transaction that notes the end. `reason`: why it was given up. */
  ended?(sql: Sql, item: OutboxItem, reason?: string): Promise<void>;
  /** Tries until it is given up; default 14, which is some ten hours. */
  readonly tries?: number;
  /** Before the second try; doubles from there, up to two hours. Default 10,000. */
  readonly firstDelayMs?: number;
  /** For one try; default 60,000. */
  readonly timeoutMs?: number;
  /** How often to look; default 2000. */
  readonly pollMs?: number;
}

const LONGEST_DELAY_MS = 7_200_000;

/** For a delivery that is under way when all is to end: what was taken and not noted would be delivered once more. */
const GRACE_MS = 3000;

/**
 * Delivers what is owed to others, each at least once, until disposed. What a process has taken and not ended, for it died,
 * is due again after a while.
 */
export function startOutbox(options: OutboxOptions): AsyncDisposable {
  const { logger, kind, pollMs = 2000 } = options;
  const stop = new AbortController();
  const giveUpWaiting = new AbortController();
  const loop = (async () => {
    while (!stop.signal.aborted) {
      try {
        while (!stop.signal.aborted && (await deliverNext(options, giveUpWaiting.signal)));
      } catch (err) {
        if (!stop.signal.aborted) logger.warn({ event: "outbox.look-failed", kind, err });
      }
      await sleep(pollMs, undefined, { signal: stop.signal }).catch(() => {});
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      const grace = setTimeout(() => giveUpWaiting.abort(), GRACE_MS);
      await loop;
      clearTimeout(grace);
    },
  };
}

/** @returns false where nothing is due */
async function deliverNext(options: OutboxOptions, stop: AbortSignal): Promise<boolean> {
  const { db, logger, kind, deliver, ended, tries = 14, firstDelayMs = 10_000, timeoutMs = 60_000 } = options;
  const item = await takeDue(db, kind, 2 * timeoutMs);
  if (!item) return false;
  const { jobId, tries: attempt } = item;
  try {
    await deliver(item, { signal: AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]) });
  } catch (error) {
    if (stop.aborted) {
      await tryLater(db, item.id, "The server was stopped.", 0);
      return false;
    }
    const reason = error instanceof DomainError ? error.message : "It was not taken: see the server's log.";
    const known = error instanceof DomainError ? { code: error.code, reason } : { err: error };
    if (attempt < tries) {
      const delayMs = Math.min(firstDelayMs * 2 ** (attempt - 1), LONGEST_DELAY_MS);
      await tryLater(db, item.id, reason, delayMs);
      logger.info({ event: "outbox.retries", kind, jobId, attempt, delayMs, ...known });
    } else {
      await db.transaction(async (sql) => {
        await giveUp(sql, item.id, reason);
        await ended?.(sql, item, reason);
      });
      logger.warn({ event: "outbox.given-up", kind, jobId, attempt, ...known });
    }
    return true;
  }
  await db.transaction(async (sql) => {
    await settle(sql, item.id);
    await ended?.(sql, item);
  });
  logger.info({ event: "outbox.delivered", kind, jobId, attempt });
  return true;
}
