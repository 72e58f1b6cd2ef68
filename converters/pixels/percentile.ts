import type { Voxels } from "../geometry/index.ts";
import { orderStatistics } from "./order-statistics.ts";
import { rangeToUint8, type ValueRange } from "./window.ts";

export interface PercentileOptions {
  /** Percent, 0 to 100; 0.5 and 99.5 where not said. */
  readonly lower?: number;
  readonly upper?: number;
  /** Which voxels are counted: those above zero (what upstream does: air around the patient does not count), or all. */
  readonly of?: "positive" | "all";
}

/**
 * The values between two percentiles, exact, interpolated linearly between ranks as numpy.percentile does. NaN and
 * infinite voxels do not count. Where no voxel is positive, all are counted; where there is none at all, 0 to 0.
 */
export function percentileWindow(voxels: Voxels, options: PercentileOptions = {}): ValueRange {
  const { lower = 0.5, upper = 99.5, of = "positive" } = options;
  const values = orderStatistics(voxels, of === "positive", (count) =>
    [lower, upper].flatMap((percent) => {
      const rank = (percent / 100) * (count - 1);
      return [Math.floor(rank), Math.min(Math.floor(rank) + 1, count - 1)];
    }),
  );
  if (values.count === 0) return of === "positive" ? percentileWindow(voxels, { lower, upper, of: "all" }) : NOTHING;
  const between = (percent: number, below: number, above: number) => {
    const rank = (percent / 100) * (values.count - 1);
    const part = rank - Math.floor(rank);
    return part < 0.5 ? below + (above - below) * part : above - (above - below) * (1 - part);
  };
  const [a = 0, b = 0, c = 0, d = 0] = values.statistics;
  return { lower: between(lower, a, b), upper: between(upper, c, d) };
}

/** Clipped to its own percentiles, spread over 0..255 and truncated to whole grey levels. */
export function clipPercentiles(voxels: Voxels, options?: PercentileOptions): Uint8Array {
  return rangeToUint8(voxels, percentileWindow(voxels, options));
}

const NOTHING: ValueRange = { lower: 0, upper: 0 };
