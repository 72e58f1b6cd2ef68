import { setTimeout as sleep } from "node:timers/promises";
import { TransientPacsError } from "./pacs-fault.ts";

export interface RetryPolicy {
  /** How often a request is sent at most; 1 means never again. */
  readonly attempts: number;
  /** Before the second attempt; doubles from there. */
  readonly firstDelayMs: number;
  /** The longest wait. A Retry-After beyond it ends the retries at once. */
  readonly maxDelayMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = { attempts: 4, firstDelayMs: 250, maxDelayMs: 15_000 };

/**
 * Runs `attempt` again after transient faults, waiting exponentially longer with jitter, or as long as Retry-After says.
 * @throws the last fault, unchanged; the signal's reason after an abort
 */
export async function retrying<T>(
  policy: RetryPolicy,
  signal: AbortSignal,
  attempt: () => Promise<T>,
  onRetry: (fault: TransientPacsError, delayMs: number) => void = () => {},
): Promise<T> {
  for (let sent = 1; ; sent++) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransientPacsError) || sent >= policy.attempts) throw error;
      const delayMs = error.retryAfterMs ?? backoffMs(policy, sent);
      if (delayMs > policy.maxDelayMs) throw error;
      onRetry(error, delayMs);
      await pause(delayMs, signal);
    }
  }
}

/** Between half and all of the exponential delay: clients that failed together do not return together. */
function backoffMs({ firstDelayMs, maxDelayMs }: RetryPolicy, sent: number): number {
  return Math.min(maxDelayMs, firstDelayMs * 2 ** (sent - 1)) * (0.5 + Math.random() / 2);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

/** Retry-After (RFC 9110 section 10.2.3): seconds, or a date. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
