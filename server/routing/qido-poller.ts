import type { Database } from "#server/database/index.ts";
import type { Archive } from "#server/dicomweb/index.ts";
import type { Logger } from "../logger.ts";
import { ArchiveHold } from "./archive-hold.ts";
import { readCursor, writeCursor } from "./archive-table.ts";
import { continueBackfills } from "./backfill.ts";
import { heedClockSetBack } from "./clock-set-back.ts";
import { BROKEN_MS, decideEach } from "./decide-each.ts";
import { type PollLoop, startPollLoop } from "./poll-loop.ts";
import { readQidoFacts, seriesSince } from "./qido-finder.ts";
import { type RouterOptions, routeSeries } from "./route-series.ts";
import { decideLater, noteSeen, type SettledSeries, settledNow } from "./seen-table.ts";
import { daysAgo, type SeriesFinder } from "./series-finder.ts";

export interface QidoPollerOptions extends RouterOptions {
  readonly db: Database;
  readonly logger: Logger;
  readonly client: Archive;
  readonly finder: SeriesFinder;
  /** What is noted is kept under it: the archive's address. */
  readonly archive: string;
  readonly pollMs: number;
  /** Only studies of the last so many days, by Study Date, are looked for. */
  readonly windowDays: number;
  /** A series that has held the same number of instances for so long is complete. */
  readonly stableMs: number;
  readonly signal: AbortSignal;
  /** No other process can follow the archive on this database. */
  readonly alone: boolean;
}

const BATCH = 100;
const MOST_SERIES = 50_000;

/**
 * Follows an archive that tells nothing by itself: it is searched again and again, and what it held is in the database.
 * Nothing is lost while this program is away for less than the window. Of several processes one looks at a time.
 */
export function startQidoPoller(options: QidoPollerOptions): PollLoop {
  const { logger, pollMs } = options;
  const hold = new ArchiveHold(options);
  return startPollLoop({
    logger,
    pollMs,
    look: (isClosed) => look(options, () => hold.take(), isClosed),
    letGo: () => hold[Symbol.asyncDispose](),
  });
}

async function look(options: QidoPollerOptions, hold: () => Promise<boolean>, isClosed: () => boolean): Promise<void> {
  const { db, archive, client, logger, signal, windowDays, stableMs } = options;
  const begun = await readCursor(db, archive);
  if (begun && !(await hold())) return;
  await heedClockSetBack(db, archive);
  const found = await seriesSince(client, daysAgo(windowDays), MOST_SERIES, signal);
  await db.transaction(async (sql) => {
    // What is in the archive already is left alone: only what arrives from now on is routed.
    await noteSeen(sql, archive, found, { leaveAlone: begun === undefined });
    if (!begun) await writeCursor(sql, archive, { seq: 0 });
  });
  if (!begun) logger.info({ event: "routing.begun" });
  await decideEach<SettledSeries>({
    logger,
    isClosed,
    batch: async () => ((await hold()) ? settledNow(db, archive, stableMs, BATCH) : []),
    decideOn: (settled) => decideOn(options, settled),
    postpone: ({ series }) => decideLater(db, archive, series, BROKEN_MS),
  });
  await continueBackfills(options, { isClosed, hold });
}

async function decideOn(options: QidoPollerOptions, { series, instanceCount, unchangedMs }: SettledSeries) {
  const { db, archive, client, signal, stableMs } = options;
  const facts = await readQidoFacts(client, series, signal);
  if (facts && facts.sliceCount !== instanceCount) {
    // Instances came since the search: the next one tells how many.
    await decideLater(db, archive, series, stableMs);
    return;
  }
  await decideLater(db, archive, series, facts && (await routeSeries(options, facts, unchangedMs - stableMs)));
}
