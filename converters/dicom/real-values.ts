import type { ImageFrame } from "./image-frame.ts";
import { type StoredArray, storedRange } from "./store-pixels.ts";

/** What of a slice says how its stored values become real ones: slope * stored + intercept (PS3.3 section C.11.1). */
export type RescaledSlice = Pick<ImageFrame, "pixel" | "rescale">;

export function slopeOf({ rescale }: RescaledSlice): number {
  return rescale.RescaleSlope ?? 1;
}

export function interceptOf({ rescale }: RescaledSlice): number {
  return rescale.RescaleIntercept ?? 0;
}

/** Whether the real values of all slices are integers of 16 bits, whatever pixels they have. */
export function surelyInt16(slices: readonly RescaledSlice[]): boolean {
  return slices.every((slice) => fitsInt16(slice, storedRange(slice)));
}

/** Room for the stored values of all slices, in the narrowest of the kinds that hold them. */
export function roomForStored(slices: readonly RescaledSlice[], count: number): StoredArray {
  const ranges = slices.map(storedRange);
  const lowest = Math.min(...ranges.map(([low]) => low));
  const highest = Math.max(...ranges.map(([, high]) => high));
  if (lowest >= -0x8000 && highest <= 0x7fff) return new Int16Array(count);
  if (lowest >= 0 && highest <= 0xffff) return new Uint16Array(count);
  return highest <= 0x7fffffff ? new Int32Array(count) : new Float64Array(count);
}

/**
 * The real values of slices that lie one after the other in `stored`, each with its own slope and intercept: Int16Array where
 * all are integers that fit, else Float32Array.
 *
 * @param stored is used up: 16-bit integers take its memory.
 */
export function realValues(stored: StoredArray, slices: readonly RescaledSlice[]): Int16Array | Float32Array {
  const perSlice = stored.length / slices.length;
  const fits = slices.every((slice, k) => fitsInt16(slice, actualRange(stored, k * perSlice, (k + 1) * perSlice)));
  const voxels = fits
    ? stored.BYTES_PER_ELEMENT === 2
      ? new Int16Array(stored.buffer, stored.byteOffset, stored.length)
      : new Int16Array(stored.length)
    : new Float32Array(stored.length);
  slices.forEach((slice, k) => {
    rescaleInto(voxels, stored, k * perSlice, (k + 1) * perSlice, slopeOf(slice), interceptOf(slice));
  });
  return voxels;
}

function fitsInt16(slice: RescaledSlice, [lowest, highest]: readonly [number, number]): boolean {
  const [slope, intercept] = [slopeOf(slice), interceptOf(slice)];
  const ends = [slope * lowest + intercept, slope * highest + intercept];
  return (
    Number.isInteger(slope) && Number.isInteger(intercept) && ends.every((value) => value >= -0x8000 && value <= 0x7fff)
  );
}

function actualRange(stored: StoredArray, start: number, end: number): readonly [number, number] {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (let n = start; n < end; n++) {
    const value = stored[n]!;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  return [lowest, highest];
}

function rescaleInto(
  voxels: Int16Array | Float32Array,
  stored: StoredArray,
  start: number,
  end: number,
  slope: number,
  intercept: number,
): void {
  if (slope === 1 && intercept === 0) {
    if (voxels.buffer !== stored.buffer) voxels.set(stored.subarray(start, end), start);
  } else if (voxels instanceof Int16Array) {
    for (let n = start; n < end; n++) voxels[n] = slope * stored[n]! + intercept;
  } else {
    // In single precision throughout, as the common converters do it: the same bits come out.
    const slope32 = Math.fround(slope);
    const intercept32 = Math.fround(intercept);
    for (let n = start; n < end; n++) voxels[n] = Math.fround(Math.fround(stored[n]!) * slope32) + intercept32;
  }
}
