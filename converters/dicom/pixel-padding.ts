import type { VoxelUnit } from "../geometry/index.ts";
import type { ImagePixelModule } from "./modules.ts";
import type { Slice } from "./slice-values.ts";

/** What becomes of voxels outside the field of view, which scanners fill with Pixel Padding Value (PS3.3 C.7.5.1.1.2). */
export type Padding = "keep" | "air";

type Values = Int16Array | Float32Array;

/** What air is in a unit: it attenuates as -1000 HU, takes nothing up and gives no signal. */
const AIR: Readonly<Record<Exclude<VoxelUnit, "arbitrary">, number>> = { HU: -1000, SUV: 0, "Bq/mL": 0 };
const WITHOUT_SIGNAL: ReadonlySet<string> = new Set(["MR", "PT", "NM"]);

/** Looks through the values of slices, in any order, for padding, and puts air in its place where that is wanted. */
export interface PaddingWatch {
  /** @param values of slice k, as decoded; changed in place */
  look(k: number, values: Values): void;
  /** Once all slices have been seen. */
  notes(): readonly string[];
}

export function watchPadding(
  slices: readonly Slice[],
  { padding, unit, modality }: { readonly padding: Padding; readonly unit: VoxelUnit; readonly modality: string },
): PaddingWatch {
  const air = unit !== "arbitrary" ? AIR[unit] : WITHOUT_SIGNAL.has(modality) ? 0 : undefined;
  const wanted = padding === "air" ? air : undefined;
  let first = Number.POSITIVE_INFINITY;
  return {
    look(k, values) {
      const range = paddingOf(slices[k]!, values);
      if (range === undefined || (range[0] === wanted && range[1] === wanted)) return;
      // One is enough to say so where nothing is to be changed.
      if (wanted === undefined && k > first) return;
      if (wanted === undefined ? !holds(values, range) : !fill(values, range, wanted)) return;
      first = Math.min(first, k);
    },
    notes() {
      const slice = slices[first];
      if (slice === undefined) return [];
      const [lowest, highest] = paddingOf(slice, new Float32Array(0))!;
      const what = lowest === highest ? `${lowest}` : `${lowest} to ${highest}`;
      return wanted === undefined
        ? [`Padding outside the field of view keeps the value of the files, ${what}.`]
        : [
            `Padding outside the field of view (${what}) was set to air, ${wanted}${unit === "arbitrary" ? "" : ` ${unit}`}.`,
          ];
    },
  };
}

function holds(values: Values, [lowest, highest]: readonly [number, number]): boolean {
  for (let n = 0; n < values.length; n++) if (values[n]! >= lowest && values[n]! <= highest) return true;
  return false;
}

function fill(values: Values, [lowest, highest]: readonly [number, number], air: number): boolean {
  let filled = false;
  for (let n = 0; n < values.length; n++) {
    if (values[n]! < lowest || values[n]! > highest) continue;
    values[n] = air;
    filled = true;
  }
  return filled;
}

/** From the lowest to the highest value that is padding; undefined where none is. Those of a lookup table are not told. */
function paddingOf({ pixel, rescale, table }: Slice, values: Values): readonly [number, number] | undefined {
  const { PixelPaddingValue: one, PixelPaddingRangeLimit: other = one } = pixel;
  if (one === undefined || other === undefined || table !== undefined) return undefined;
  const { RescaleSlope: slope = 1, RescaleIntercept: intercept = 0 } = rescale;
  // In the arithmetic of storeValues, or it would not be the same number.
  const round = values instanceof Float32Array ? Math.fround : (value: number) => value;
  const ends = [one, other].map((value) => round(round(round(stored(value, pixel)) * round(slope)) + round(intercept)));
  return [Math.min(...ends), Math.max(...ends)];
}

/** As a stored value: its VR does not always agree with Pixel Representation. */
function stored(value: number, { PixelRepresentation, BitsStored }: ImagePixelModule): number {
  const unused = 32 - BitsStored;
  const topmost = value << unused;
  return PixelRepresentation === 1 ? topmost >> unused : topmost >>> unused;
}
