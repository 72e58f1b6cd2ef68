import type { Voxels } from "../geometry/index.ts";
import { formatDecimalString } from "./decimal-string.ts";

/** How voxel values become 16-bit pixels: value = slope * stored + intercept, for all slices alike. */
export interface Storage {
  readonly slope: number;
  readonly intercept: number;
  /** Exactly the voxels' values, not within half a slope. */
  readonly exact: boolean;
  /** Of the stored numbers; NaN and infinities count as the lowest finite value. */
  readonly lowest: number;
}

const LOWEST_INT16 = -0x8000;
const HIGHEST_INT16 = 0x7fff;
const STEPS = 0xfffe;

/**
 * Integers that span at most 65535 keep their values, with `preferredIntercept` where that fits; all else is spread
 * over 16 bits, so that no value is off by more than half a slope.
 */
export function chooseStorage(voxels: Voxels, preferredIntercept: number): Storage {
  let [min, max, whole] = [Infinity, -Infinity, true];
  for (let n = 0; n < voxels.length; n++) {
    const value = voxels[n]!;
    if (!Number.isFinite(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
    if (whole && !Number.isInteger(value)) whole = false;
  }
  if (min > max) [min, max] = [0, 0];
  if (whole && max - min <= HIGHEST_INT16 - LOWEST_INT16) {
    const intercept = [preferredIntercept, 0].find(
      (offset) => min - offset >= LOWEST_INT16 && max - offset <= HIGHEST_INT16,
    );
    const chosen = intercept ?? min - LOWEST_INT16;
    return { slope: 1, intercept: chosen, exact: true, lowest: min - chosen };
  }
  // What the file says is what a reader computes with: both are rounded to what a decimal string holds, first.
  const slope = asWritten(max > min ? (max - min) / STEPS : 1);
  const intercept = asWritten(max > min ? min + (max - min) / 2 : min);
  return { slope, intercept, exact: false, lowest: Math.round((min - intercept) / slope) };
}

/** The pixels of `count` voxels from `start` on, in storage order, into `out`. */
export function storeValues(voxels: Voxels, start: number, out: Int16Array, storage: Storage): void {
  const { slope, intercept, lowest } = storage;
  for (let n = 0; n < out.length; n++) {
    const value = voxels[start + n]!;
    out[n] = Number.isFinite(value) ? Math.round((value - intercept) / slope) : lowest;
  }
}

function asWritten(value: number): number {
  return Number(formatDecimalString(value));
}
