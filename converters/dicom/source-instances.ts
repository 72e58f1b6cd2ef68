import { type SourceInstance, transformPoint } from "../geometry/index.ts";
import { gridSliceOf, keepsPixels } from "./resample-stack.ts";
import type { SliceArrangement } from "./slice-arrangement.ts";
import type { Slice } from "./slice-values.ts";

/**
 * The frame that each slice of a volume came from. On a resampled grid these are the slices in whose plane a frame lies; the
 * slices that were interpolated in between have none.
 *
 * @param slices in the order of the arrangement
 */
export function sourceInstances(
  slices: readonly Slice[],
  { uneven, size, ijkToLps }: SliceArrangement,
): readonly SourceInstance[] {
  return slices.flatMap(({ sopClassUid, sopInstanceUid, frame, tile, plane }, n) => {
    const source = { sopClassUid, sopInstanceUid, ...(frame !== undefined && { frame }) };
    if (uneven === undefined) {
      return [
        { ...source, sliceIndex: n, positionLps: plane.positionLps, ...(tile && { pixelsMoved: true as const }) },
      ];
    }
    const sliceIndex = gridSliceOf(uneven.levels[n]!);
    if (sliceIndex === undefined) return [];
    if (keepsPixels(uneven, n, size)) return [{ ...source, sliceIndex, positionLps: plane.positionLps }];
    return [
      { ...source, sliceIndex, positionLps: transformPoint(ijkToLps, [0, 0, sliceIndex]), pixelsMoved: true as const },
    ];
  });
}
