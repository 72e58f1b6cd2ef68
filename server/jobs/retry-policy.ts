import type { Priority } from "./job.ts";

export interface RetryPolicy {
  /** Runs at most, of a job that no person waits for. */
  readonly attempts: number;
  /** Before the second run; doubles from there. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
}

export const defaultRetryPolicy: RetryPolicy = { attempts: 5, firstDelayMs: 10_000, maxDelayMs: 600_000 };

/** A person is told at once, and decides; what nobody waits for is tried again. */
export function attemptsFor(priority: Priority, { attempts }: RetryPolicy): number {
  return priority === "interactive" ? 1 : attempts;
}

/** Between half and all of the exponential delay: jobs that failed together do not return together. */
export function delayAfter(attempt: number, { firstDelayMs, maxDelayMs }: RetryPolicy): number {
  return Math.min(maxDelayMs, firstDelayMs * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2);
}
