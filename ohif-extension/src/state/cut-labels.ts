import type { ChangeLabels, VolumeShape } from "./viewer-port.ts";

/** A segment, its probabilities and where to cut them. */
export interface LabelCut {
  readonly segmentNumber: number;
  /** round(255 p), columns fastest, then rows, then slices. */
  readonly values: Uint8Array;
  /** 0 to 1: a voxel belongs to the segment above it. */
  readonly threshold: number;
}

/**
 * The server's rule (cut-again.ts of its domain): above its threshold; where thresholds meet, the larger probability, and the
 * earlier segment where they are equal. Voxels of other segments stay theirs.
 * @param counts is given the voxels of each segment, by number
 */
export function labelsCutAt(
  cuts: readonly LabelCut[],
  { columns, rows }: VolumeShape,
  counts: Map<number, number>,
): ChangeLabels {
  const pixels = columns * rows;
  const above = cuts.map(({ threshold }) => 255 * threshold);
  const own = new Uint8Array(256);
  for (const { segmentNumber } of cuts) {
    own[segmentNumber] = 1;
    counts.set(segmentNumber, 0);
  }
  const found = new Uint32Array(256);
  return (sliceIndex, labels) => {
    const base = sliceIndex * pixels;
    let changed = false;
    found.fill(0);
    for (let p = 0; p < pixels; p++) {
      const before = labels[p]!;
      if (before !== 0 && own[before] === 0) continue;
      let best = 0;
      let largest = -1;
      for (let n = 0; n < cuts.length; n++) {
        const value = cuts[n]!.values[base + p]!;
        if (value > above[n]! && value > largest) {
          best = cuts[n]!.segmentNumber;
          largest = value;
        }
      }
      if (best !== 0) found[best]!++;
      if (best === before) continue;
      labels[p] = best;
      changed = true;
    }
    for (const { segmentNumber } of cuts) {
      counts.set(segmentNumber, (counts.get(segmentNumber) ?? 0) + found[segmentNumber]!);
    }
    return changed;
  };
}
