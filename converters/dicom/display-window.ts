import type { Voxels } from "../geometry/index.ts";
import { type Storage, storeValues } from "./stored-values.ts";

/** The part of the voxels above the lowest value that the window leaves out at each end. */
const CLIPPED = 0.005;
const CHUNK = 1 << 16;

/** Centre and width of a window that shows all but the extremes; background (the lowest value) does not count. */
export function displayWindow(voxels: Voxels, storage: Storage): readonly [number, number] {
  const counts = histogram(voxels, storage);
  const lowest = storage.lowest + 0x8000;
  let total = 0;
  for (let bin = lowest + 1; bin < counts.length; bin++) total += counts[bin]!;
  const low = percentileBin(counts, lowest + 1, total * CLIPPED);
  const high = percentileBin(counts, lowest + 1, total * (1 - CLIPPED));
  const value = (bin: number) => storage.slope * (bin - 0x8000) + storage.intercept;
  return [(value(low) + value(high)) / 2, Math.max(value(high) - value(low), storage.slope)];
}

/** How often each 16-bit number is stored, the lowest (-32768) first. */
function histogram(voxels: Voxels, storage: Storage): Uint32Array {
  const counts = new Uint32Array(0x10000);
  const stored = new Int16Array(Math.min(CHUNK, voxels.length));
  for (let start = 0; start < voxels.length; start += CHUNK) {
    const part = stored.subarray(0, Math.min(CHUNK, voxels.length - start));
    storeValues(voxels, start, part, storage);
    for (let n = 0; n < part.length; n++) counts[part[n]! + 0x8000]!++;
  }
  return counts;
}

function percentileBin(counts: Uint32Array, from: number, count: number): number {
  let seen = 0;
  for (let bin = from; bin < counts.length; bin++) {
    seen += counts[bin]!;
    if (seen > count) return bin;
  }
  return Math.min(from, counts.length - 1);
}
