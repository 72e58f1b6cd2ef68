import type { ImagePixelModule } from "./modules.ts";
import type { SliceArrangement } from "./slice-arrangement.ts";
import type { Slice } from "./slice-values.ts";
import { smallestOf } from "./value-range.ts";

/** What is to be said of the values before they are decoded. */
export function notesOnValues(slices: readonly Slice[], modality: string): readonly string[] {
  if (modality !== "CT" || slices.every(({ rescale }) => rescale.RescaleSlope !== undefined)) return [];
  return ["The CT series has no Rescale Slope; its stored values were taken for Hounsfield units."];
}

/** Looks at the values of slices, in any order, for padding outside the field of view. */
export function watchPadding(slices: readonly Slice[]) {
  let first = Number.POSITIVE_INFINITY;
  return {
    look(k: number, values: Int16Array | Float32Array): void {
      if (k >= first) return;
      const padding = paddingOf(slices[k]!);
      if (padding !== undefined && smallestOf(values) === padding) first = k;
    },
    notes(): readonly string[] {
      const slice = slices[first];
      return slice === undefined
        ? []
        : [`Padding outside the field of view keeps the value of the files, ${paddingOf(slice)}.`];
    },
  };
}

function paddingOf({ pixel, rescale }: Slice): number | undefined {
  const stored = paddingValue(pixel);
  if (stored === undefined) return undefined;
  const { RescaleSlope: slope = 1, RescaleIntercept: intercept = 0 } = rescale;
  return slope * stored + intercept;
}

/** Pixel Padding Value (0028,0120) as a stored value: its VR does not always agree with Pixel Representation. */
function paddingValue({ PixelPaddingValue, PixelRepresentation, BitsStored }: ImagePixelModule): number | undefined {
  if (PixelPaddingValue === undefined) return undefined;
  const unused = 32 - BitsStored;
  const topmost = PixelPaddingValue << unused;
  return PixelRepresentation === 1 ? topmost >> unused : topmost >>> unused;
}

export function notesOnGrid({ uneven, size, ijkToLps }: SliceArrangement): readonly string[] {
  if (uneven === undefined) return [];
  const spacing = Math.hypot(ijkToLps[2], ijkToLps[6], ijkToLps[10]);
  return [
    `The voxels were interpolated onto a regular grid of ${size.join("x")}, ${spacing.toFixed(2)} mm from slice to slice, for the slices are none. ${uneven.fault.problem}.`,
  ];
}
