import type { StoredPixels } from "./decode-pixels.ts";

/** One slice's stored values and how they become real ones: slope * stored + intercept (PS3.3 C.11.1). */
export interface RescaledSlice {
  readonly pixels: StoredPixels;
  readonly slope: number;
  readonly intercept: number;
}

/**
 * The real values of all slices in one array, slice after slice: Int16Array where all of them are integers that fit, else
 * Float32Array. Takes the slices out of `slices` as it goes, so that each can be freed.
 */
export function rescaleSlices(slices: RescaledSlice[], pixelsPerSlice: number): Int16Array | Float32Array {
  const total = pixelsPerSlice * slices.length;
  const voxels = slices.every(fitsInt16) ? new Int16Array(total) : new Float32Array(total);
  for (let k = slices.length - 1; k >= 0; k--) {
    const slice = slices.pop()!;
    rescaleInto(voxels, k * pixelsPerSlice, slice);
  }
  return voxels;
}

function fitsInt16({ pixels, slope, intercept }: RescaledSlice): boolean {
  const ends = [slope * pixels.smallest + intercept, slope * pixels.largest + intercept];
  return (
    Number.isInteger(slope) && Number.isInteger(intercept) && ends.every((value) => value >= -0x8000 && value <= 0x7fff)
  );
}

function rescaleInto(
  voxels: Int16Array | Float32Array,
  offset: number,
  { pixels: { values }, slope, intercept }: RescaledSlice,
): void {
  if (slope === 1 && intercept === 0) {
    voxels.set(values, offset);
  } else if (voxels instanceof Int16Array) {
    for (let n = 0; n < values.length; n++) voxels[offset + n] = slope * values[n]! + intercept;
  } else {
    // In single precision throughout, as the common converters do it: the same bits come out.
    const slope32 = Math.fround(slope);
    const intercept32 = Math.fround(intercept);
    for (let n = 0; n < values.length; n++) {
      voxels[offset + n] = Math.fround(Math.fround(values[n]!) * slope32) + intercept32;
    }
  }
}
