import { BacklogFullError } from "#server/jobs/index.ts";
import type { Logger } from "../logger.ts";
import { reasonOf } from "./poll-loop.ts";

/** How soon a series is looked at again that could not be looked at. */
export const BROKEN_MS = 60_000;
const MOST_FAILURES = 3;

export interface Deciding<T> {
  readonly logger: Logger;
  readonly isClosed: () => boolean;
  /** What is to be decided on now; none: it ends. */
  batch(): Promise<readonly T[]>;
  decideOn(item: T): Promise<void>;
  /** It could not be decided on, and is not in the next batches for a while. */
  postpone(item: T): Promise<void>;
}

/** Decides on one series after the other. Ends early where the queue has no room. @throws where several in a row fail */
export async function decideEach<T>({ logger, isClosed, batch, decideOn, postpone }: Deciding<T>): Promise<void> {
  let failedInARow = 0;
  while (!isClosed()) {
    const items = await batch();
    if (items.length === 0) return;
    for (const item of items) {
      if (isClosed()) return;
      try {
        await decideOn(item);
        failedInARow = 0;
      } catch (error) {
        if (error instanceof BacklogFullError) {
          logger.info({ event: "routing.waits-for-room" });
          return;
        }
        // One broken series must not hold up the others; where everything fails, the archive or the database is away.
        if (++failedInARow >= MOST_FAILURES) throw error;
        logger.warn({ event: "routing.series-failed", ...reasonOf(error) });
        await postpone(item);
      }
    }
  }
}
