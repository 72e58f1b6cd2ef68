import type { Vec3 } from "#converters/geometry/index.ts";
import { type BitVolume, createBitVolume, setPlane } from "#converters/mask/index.ts";
import type { MergeMode } from "./ports.ts";

/** Probabilities of one prompt, and where to cut them. */
export interface Cut {
  /** round(255 p) for each voxel, i fastest. */
  readonly values: Uint8Array;
  /** 0 to 1: a voxel belongs to the mask above it. */
  readonly threshold: number;
}

/**
 * Masks from probabilities: what lies above its threshold; where prompts may not share voxels, a voxel goes to the largest
 * probability, and to the earlier prompt where they are equal. At the threshold that a model cut at, its own masks come out
 * but for voxels that 8 bits cannot tell apart.
 */
export function cutAgain(cuts: readonly Cut[], size: Vec3, merge: MergeMode): readonly BitVolume[] {
  const pixels = size[0] * size[1];
  const masks = cuts.map(() => createBitVolume(size));
  const slices = cuts.map(() => new Uint8Array(pixels));
  const above = cuts.map(({ threshold }) => 255 * threshold);
  for (let k = 0; k < size[2]; k++) {
    for (const slice of slices) slice.fill(0);
    const base = k * pixels;
    if (merge === "overlapping" || cuts.length === 1) {
      for (const [n, { values }] of cuts.entries()) {
        const slice = slices[n]!;
        for (let p = 0; p < pixels; p++) slice[p] = values[base + p]! > above[n]! ? 1 : 0;
      }
    } else {
      for (let p = 0; p < pixels; p++) {
        let best = -1;
        let largest = -1;
        for (let n = 0; n < cuts.length; n++) {
          const value = cuts[n]!.values[base + p]!;
          if (value > above[n]! && value > largest) {
            best = n;
            largest = value;
          }
        }
        if (best >= 0) slices[best]![p] = 1;
      }
    }
    for (const [n, mask] of masks.entries()) setPlane(mask, 2, k, slices[n]!);
  }
  return masks;
}
