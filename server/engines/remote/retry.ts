import { setTimeout as sleep } from "node:timers/promises";
import type { RemoteAnswer } from "./exchange.ts";
import { RemoteModelError } from "./remote-model-error.ts";

export interface RetryPolicy {
  /** How often a request is sent at most. */
  readonly attempts: number;
  /** Before the second attempt; doubles from there. */
  readonly firstDelayMs: number;
  /** The longest wait. A Retry-After beyond it ends the retries at once. */
  readonly maxDelayMs: number;
}

/** What `attempts` do not say. */
export const DEFAULT_DELAYS = { firstDelayMs: 500, maxDelayMs: 60_000 } as const;

/** Answers of a server in trouble. Not 424: the model failed on this image, and would again. */
const AGAIN: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/**
 * The first answer that is not one of a server in trouble, or the last answer of all. Waits as long as Retry-After says, or
 * exponentially longer with jitter; broken connections count as answers of that kind.
 * @throws RemoteModelError, the last one
 */
export async function retrying(policy: RetryPolicy, attempt: () => Promise<RemoteAnswer>): Promise<RemoteAnswer> {
  for (let sent = 1; ; sent++) {
    const outcome = await attempt().catch((error: unknown) => {
      if (!(error instanceof RemoteModelError) || !error.retryable) throw error;
      return error;
    });
    const failed = outcome instanceof RemoteModelError;
    if (!failed && !AGAIN.has(outcome.status)) return outcome;
    const delayMs = (failed ? undefined : retryAfterMs(outcome, Date.now())) ?? backoffMs(policy, sent);
    if (sent >= policy.attempts || delayMs > policy.maxDelayMs) {
      if (failed) throw outcome;
      return outcome;
    }
    await sleep(delayMs);
  }
}

/** Between half and all of the exponential delay: clients that failed together do not return together. */
function backoffMs({ firstDelayMs, maxDelayMs }: RetryPolicy, sent: number): number {
  return Math.min(maxDelayMs, firstDelayMs * 2 ** (sent - 1)) * (0.5 + Math.random() / 2);
}

/** Retry-After (RFC 9110 section 10.2.3): seconds, or a date. */
export function retryAfterMs({ headers }: Pick<RemoteAnswer, "headers">, now: number): number | undefined {
  const header = headers["retry-after"];
  if (header === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
