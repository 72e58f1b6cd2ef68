import type { OrthancClient } from "./orthanc-client.ts";
import { readFacts } from "./read-facts.ts";
import type { SeriesFacts } from "./series-facts.ts";

export interface FoundSeries {
  readonly facts: SeriesFacts;
  /** Nothing has arrived in it for a while, as far as the archive tells. */
  readonly isComplete: boolean;
}

/** Where routing finds series that are there already. Every method throws PacsUnavailableError, PacsTimeoutError, the signal's reason. */
export interface SeriesFinder {
  /** What `find` knows series of studies since a day (YYYYMMDD) by, in no particular order. */
  since(day: string, limit: number): Promise<readonly string[]>;
  /** Undefined where it is gone, or holds nothing of a series. */
  find(resourceId: string): Promise<FoundSeries | undefined>;
}

export function orthancFinder(client: OrthancClient): SeriesFinder {
  return {
    since: (day, limit) => client.seriesSince(day, limit),
    find: async (resourceId) => {
      const series = await client.series(resourceId);
      const facts = series && (await readFacts(client, series));
      return facts && { facts, isComplete: series.isStable };
    },
  };
}

/** The day, as DICOM writes it, so many days ago. */
export function daysAgo(days: number, now = Date.now()): string {
  return new Date(now - days * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "");
}
