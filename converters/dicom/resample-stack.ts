import type { Vec3 } from "../geometry/index.ts";
import type { UnevenSlices } from "./slice-arrangement.ts";
import { smallestOf } from "./value-range.ts";

/** Nearer than this part of a slice, or of a pixel, two places are one. */
const SAME_PLACE = 0.01;

/** The slice of the grid that a slice coincides with, if it lies in the plane of one. */
export function gridSliceOf(level: number): number | undefined {
  const k = Math.round(level);
  return Math.abs(level - k) <= SAME_PLACE ? k : undefined;
}

/** Whether a slice's pixels are those of the grid slice it coincides with: none was moved or added. */
export function keepsPixels({ corners, sliceSize }: UnevenSlices, n: number, size: Vec3): boolean {
  const [i, j] = corners[n]!;
  return sliceSize[0] === size[0] && sliceSize[1] === size[1] && Math.abs(i) <= SAME_PLACE && Math.abs(j) <= SAME_PLACE;
}

/**
 * Slices that do not lie on a regular grid, interpolated onto it: linearly between the slices on either side, bilinearly
 * within them. Beyond the edges of the slices there is the smallest value of all: air.
 *
 * @param values slice after slice
 * @returns values of the same kind; integers are rounded.
 */
export function resampleStack<T extends Int16Array | Float32Array>(values: T, slices: UnevenSlices, size: Vec3): T {
  const perSlice = size[0] * size[1];
  const out = new (values.constructor as new (length: number) => T)(perSlice * size[2]);
  const air = smallestOf(values);
  const [near, far] = [new Float32Array(perSlice), new Float32Array(perSlice)];
  const round = out instanceof Int16Array;
  let n = 0;
  for (let k = 0; k < size[2]; k++) {
    while (n + 2 < slices.levels.length && slices.levels[n + 1]! <= k + SAME_PLACE) n++;
    const below = slices.levels[n]!;
    const above = slices.levels[n + 1]!;
    const part = gridSliceOf(below) === k ? 0 : gridSliceOf(above) === k ? 1 : (k - below) / (above - below);
    if (part < 1) placeSlice(values, slices, n, size, air, near);
    if (part > 0) placeSlice(values, slices, n + 1, size, air, far);
    const [a, b] = [part < 1 ? near : far, part > 0 ? far : near];
    const start = k * perSlice;
    for (let p = 0; p < perSlice; p++) {
      const value = a[p]! + part * (b[p]! - a[p]!);
      out[start + p] = round ? Math.round(value) : value;
    }
  }
  return out;
}

/** One slice on the pixels of the grid. */
function placeSlice(
  values: Int16Array | Float32Array,
  { corners, sliceSize }: UnevenSlices,
  n: number,
  [ni, nj]: Vec3,
  air: number,
  out: Float32Array,
): void {
  const [columns, rows] = sliceSize;
  const start = n * columns * rows;
  const [left, top] = corners[n]!;
  out.fill(air);
  for (let j = 0; j < nj; j++) {
    const y = nearWhole(j - top);
    if (y < -0.5 || y > rows - 0.5) continue;
    const y0 = Math.min(Math.max(Math.floor(y), 0), rows - 1);
    const y1 = Math.min(y0 + 1, rows - 1);
    const down = Math.max(0, y - y0);
    const [upper, lower] = [start + y0 * columns, start + y1 * columns];
    for (let i = 0; i < ni; i++) {
      const x = nearWhole(i - left);
      if (x < -0.5 || x > columns - 0.5) continue;
      const x0 = Math.min(Math.max(Math.floor(x), 0), columns - 1);
      const x1 = Math.min(x0 + 1, columns - 1);
      const across = Math.max(0, x - x0);
      const above = values[upper + x0]! + across * (values[upper + x1]! - values[upper + x0]!);
      const below = values[lower + x0]! + across * (values[lower + x1]! - values[lower + x0]!);
      out[j * ni + i] = above + down * (below - above);
    }
  }
}

/** Rounding of positions must not blur a slice that lies on the grid's own pixels. */
export function nearWhole(value: number): number {
  const whole = Math.round(value);
  return Math.abs(value - whole) <= SAME_PLACE ? whole : value;
}
