import { column, fromColumns, type SliceStack } from "../geometry/index.ts";
import type { SliceArrangement } from "./slice-arrangement.ts";
import type { Slice } from "./slice-values.ts";

/**
 * The slices of a resampled series as they were sent; undefined where they are the volume's own.
 * @param slices in the order of the arrangement
 */
export function sliceStack(
  slices: readonly Slice[],
  { uneven, ijkToLps }: SliceArrangement,
  frameOfReferenceUid: string,
): SliceStack | undefined {
  if (uneven === undefined) return undefined;
  const [columns, rows] = uneven.sliceSize;
  const sources = slices.map(({ sopClassUid, sopInstanceUid, frame, tile, plane }, sliceIndex) => ({
    sopClassUid,
    sopInstanceUid,
    ...(frame !== undefined && { frame }),
    sliceIndex,
    positionLps: plane.positionLps,
    ...(tile && { pixelsMoved: true as const }),
  }));
  const [across, down, up] = [column(ijkToLps, 0), column(ijkToLps, 1), column(ijkToLps, 2)];
  return {
    geometry: {
      size: [columns, rows, slices.length],
      ijkToLps: fromColumns(across, down, up, sources[0]!.positionLps),
      frameOfReferenceUid,
    },
    sources,
    corners: uneven.corners.map(([i, j], n) => [i, j, uneven.levels[n]!]),
  };
}
