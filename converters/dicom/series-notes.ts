import type { SliceArrangement } from "./slice-arrangement.ts";
import type { Slice } from "./slice-values.ts";

/** What is to be said of the values before they are decoded. */
export function notesOnValues(slices: readonly Slice[], modality: string): readonly string[] {
  if (modality !== "CT" || slices.every(({ rescale }) => rescale.RescaleSlope !== undefined)) return [];
  return ["The CT series has no Rescale Slope; its stored values were taken for Hounsfield units."];
}

export function notesOnGrid({ uneven, size, ijkToLps }: SliceArrangement): readonly string[] {
  if (uneven === undefined) return [];
  const spacing = Math.hypot(ijkToLps[2], ijkToLps[6], ijkToLps[10]);
  return [
    `The voxels were interpolated onto a regular grid of ${size.join("x")}, ${spacing.toFixed(2)} mm from slice to slice, for the slices are none. ${uneven.fault.problem}.`,
  ];
}
