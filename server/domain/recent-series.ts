import type { DecodedSeries } from "#converters/dicom/index.ts";
import type { SeriesRef, SeriesSource } from "./ports.ts";

/** The series that was decoded last, for the next question about it. */
export interface RecentSeries {
  /** The series of that key, or what `decode` makes; of another key nothing is kept any longer. */
  of(key: string, decode: () => Promise<DecodedSeries>): Promise<DecodedSeries>;
}

export interface RecentSeriesLimits {
  /** Of its voxels: a larger one is not kept. */
  readonly maxBytes: number;
  /** After its last use. */
  readonly keepMs: number;
}

/** Keeps one series. It is let go of before another is decoded: two would need the memory of both. */
export function keepRecentSeries({ maxBytes, keepMs }: RecentSeriesLimits): RecentSeries {
  let kept: { readonly key: string; readonly series: DecodedSeries } | undefined;
  let timer: NodeJS.Timeout | undefined;
  const forget = () => {
    kept = undefined;
    clearTimeout(timer);
  };
  return {
    async of(key, decode) {
      const known = kept?.key === key ? kept.series : undefined;
      forget();
      const series = known ?? (await decode());
      forget();
      if (series.volume.voxels.byteLength > maxBytes) return series;
      kept = { key, series };
      timer = setTimeout(forget, keepMs).unref();
      return series;
    },
  };
}

/** As `decode` makes it, or as it was made for the last question: the same instances, decoded with the same options. */
export async function decodedOnce(
  { source, recent }: { readonly source: SeriesSource; readonly recent?: RecentSeries },
  series: SeriesRef,
  options: Readonly<Record<string, unknown>>,
  { signal, decode }: { readonly signal: AbortSignal; decode(): Promise<DecodedSeries> },
): Promise<DecodedSeries> {
  if (!recent || !source.revision) return decode();
  const revision = await source.revision(series, { signal });
  return recent.of(JSON.stringify([series.studyInstanceUid, series.seriesInstanceUid, revision, options]), decode);
}
