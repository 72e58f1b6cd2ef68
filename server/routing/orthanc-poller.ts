import type { Database } from "#server/database/index.ts";
import type { Logger } from "../logger.ts";
import { ArchiveHold } from "./archive-hold.ts";
import {
  addArrivals,
  type Cursor,
  forget,
  lookLater,
  markStable,
  type PendingSeries,
  pendingNow,
  readCursor,
  writeCursor,
} from "./archive-table.ts";
import { continueBackfills } from "./backfill.ts";
import { heedClockSetBack } from "./clock-set-back.ts";
import { BROKEN_MS, decideEach } from "./decide-each.ts";
import type { OrthancChange, OrthancClient } from "./orthanc-client.ts";
import { type PollLoop, startPollLoop } from "./poll-loop.ts";
import { readFacts } from "./read-facts.ts";
import { type RouterOptions, routeSeries } from "./route-series.ts";
import type { SeriesFinder } from "./series-finder.ts";

export interface OrthancPollerOptions extends RouterOptions {
  readonly db: Database;
  readonly logger: Logger;
  readonly client: OrthancClient;
  readonly finder: SeriesFinder;
  /** What the cursor is kept under: the archive's address. */
  readonly archive: string;
  readonly pollMs: number;
  /** No other process can follow the archive on this database. */
  readonly alone: boolean;
}

const PAGE = 500;
const BATCH = 100;
/** How soon a series is looked at again that is not complete. */
const UNSTABLE_MS = 2000;

/**
 * Follows the changes of an Orthanc. Where it was read up to is in the database, with what was seen and not decided on:
 * nothing is lost while this program, or Orthanc, is away. Of several processes one looks at a time.
 */
export function startOrthancPoller(options: OrthancPollerOptions): PollLoop {
  const { logger, pollMs } = options;
  const hold = new ArchiveHold(options);
  return startPollLoop({
    logger,
    pollMs,
    look: (isClosed) => new Look(options, hold, isClosed).run(),
    letGo: () => hold[Symbol.asyncDispose](),
  });
}

/** One look at the archive: reads the changes, then decides on what is complete. */
class Look {
  readonly #options: OrthancPollerOptions;
  readonly #hold: ArchiveHold;
  readonly #isClosed: () => boolean;

  constructor(options: OrthancPollerOptions, hold: ArchiveHold, isClosed: () => boolean) {
    this.#options = options;
    this.#hold = hold;
    this.#isClosed = isClosed;
  }

  async run(): Promise<void> {
    const { db, archive } = this.#options;
    const cursor = (await readCursor(db, archive)) ?? (await this.#begin());
    if (!(await this.#hold.take())) return;
    await heedClockSetBack(db, archive);
    await this.#readChanges(await this.#unlessBegunAnew(cursor));
    await this.#decide();
    await continueBackfills(this.#options, { isClosed: this.#isClosed, hold: () => this.#hold.take() });
  }

  /** What is in the archive already is left alone: only what arrives from now on is routed. */
  async #begin(): Promise<Cursor> {
    const { db, archive, client, logger } = this.#options;
    const cursor = await this.#at(await client.lastChange());
    await writeCursor(db, archive, cursor);
    logger.info({ event: "routing.begun" });
    return cursor;
  }

  /**
   * An Orthanc whose database was emptied counts its changes from 1 again: everything in it is new. It shows in the
   * newest number being lower than ours, or in another change standing at it.
   */
  async #unlessBegunAnew(cursor: Cursor): Promise<Cursor> {
    const { client, logger } = this.#options;
    const last = await client.lastChange();
    const here = cursor.change === undefined ? undefined : await this.#at(cursor.seq);
    if (last >= cursor.seq && (here?.change === undefined || here.change === cursor.change)) return cursor;
    logger.warn({ event: "routing.archive-begun-anew" });
    return { seq: 0 };
  }

  /** The cursor at a number; without its change where that is not kept any more. */
  async #at(seq: number): Promise<Cursor> {
    if (seq <= 0) return { seq: 0 };
    const { changes } = await this.#options.client.changes(seq - 1, 1);
    const [change] = changes;
    return change?.seq === seq ? { seq, change: nameOf(change) } : { seq };
  }

  async #readChanges(from: Cursor): Promise<void> {
    const { db, archive, client } = this.#options;
    for (let cursor = from; !this.#isClosed(); ) {
      const { changes, last, done } = await client.changes(cursor.seq, PAGE);
      const arrivals = await this.#arrivals(changes);
      const stable = changes.flatMap(({ type, resourceId }) => (type === "StableSeries" ? resourceId : []));
      const newest = changes.at(-1);
      const next: Cursor = newest ? { seq: last, ...(newest.seq === last && { change: nameOf(newest) }) } : cursor;
      await db.transaction(async (sql) => {
        await addArrivals(sql, archive, arrivals);
        await markStable(sql, archive, [...new Set(stable)]);
        await writeCursor(sql, archive, next);
      });
      if (done || changes.length === 0) return;
      cursor = next;
      await this.#hold.take();
    }
  }

  /**
   * The series that something arrived in. An instance that comes late to a series is followed by no other change where
   * Orthanc is restarted before it calls the series stable again: so each instance's series is found.
   */
  async #arrivals(changes: readonly OrthancChange[]): Promise<readonly string[]> {
    const { client } = this.#options;
    const found = new Set(changes.flatMap(({ type, resourceId }) => (type === "NewSeries" ? resourceId : [])));
    const unplaced = new Set(changes.flatMap(({ type, resourceId }) => (type === "NewInstance" ? resourceId : [])));
    const place = async (seriesId: string) => {
      found.add(seriesId);
      for (const id of (await client.series(seriesId))?.instanceIds ?? []) unplaced.delete(id);
    };
    if (unplaced.size > 0) for (const seriesId of [...found]) await place(seriesId);
    for (const instanceId of unplaced) {
      const seriesId = await client.seriesOfInstance(instanceId);
      unplaced.delete(instanceId);
      if (seriesId !== undefined) await place(seriesId);
    }
    return [...found];
  }

  /** Routes what is complete, whatever told so: the change, or the archive when asked, for its word may have been lost. */
  #decide(): Promise<void> {
    const { db, archive, logger } = this.#options;
    return decideEach<PendingSeries>({
      logger,
      isClosed: this.#isClosed,
      batch: async () => ((await this.#hold.take()) ? pendingNow(db, archive, BATCH) : []),
      decideOn: (pending) => this.#decideOn(pending),
      postpone: ({ resourceId }) => lookLater(db, archive, resourceId, BROKEN_MS),
    });
  }

  async #decideOn({ resourceId, stableForMs }: PendingSeries): Promise<void> {
    const { db, archive, client, logger } = this.#options;
    const series = await client.series(resourceId);
    if (!series) {
      await forget(db, archive, resourceId);
      return;
    }
    if (!series.isStable) {
      await addArrivals(db, archive, [resourceId]);
      await lookLater(db, archive, resourceId, UNSTABLE_MS);
      return;
    }
    if (stableForMs === undefined) {
      logger.info({ event: "routing.reconciled" });
      await markStable(db, archive, [resourceId]);
    }
    const facts = await readFacts(client, series);
    const waitMs = facts && (await routeSeries(this.#options, facts, stableForMs ?? 0));
    if (waitMs === undefined) await forget(db, archive, resourceId);
    else await lookLater(db, archive, resourceId, waitMs);
  }
}

function nameOf({ type, resourceId }: OrthancChange): string {
  return `${type} ${resourceId}`;
}
