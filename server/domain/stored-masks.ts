import { isEmptyMask, type MaskSlices, maskOnSlices, type SegInput } from "#converters/dicom/index.ts";
import type { Volume } from "#converters/geometry/index.ts";
import type { BitVolume } from "#converters/mask/index.ts";

/**
 * Where what is stored lies: on the slices as they were sent, so that viewers and planning tools find each frame's image. Those
 * are the volume's own, unless it was resampled.
 */
export function storedPlaces({
  geometry,
  sources,
  stack,
}: Pick<Volume, "geometry" | "sources" | "stack">): Pick<SegInput, "geometry" | "sources" | "uneven"> {
  if (!stack) return { geometry, sources };
  return { geometry: stack.geometry, sources: stack.sources, uneven: true };
}

/** A mask of the volume as it is stored. */
export function storedMask(mask: BitVolume, { stack }: Pick<Volume, "stack">): BitVolume | MaskSlices {
  return stack ? maskOnSlices(mask, stack) : mask;
}

/** Whether anything of it lies on a slice that is stored: of thin things between two slices of a resampled series nothing does. */
export function isStorable(mask: BitVolume, volume: Pick<Volume, "stack">): boolean {
  return !volume.stack || !isEmptyMask(storedMask(mask, volume));
}

/** For a SEG's Derivation Description. */
export function derivationOf({ stack }: Pick<Volume, "stack">): Pick<SegInput, "derivation"> {
  return stack
    ? { derivation: "Made on a regular grid that was interpolated from the slices, and put back onto them" }
    : {};
}

/** What the user should know of a resampled series' result: which figures are of which grid. */
export function notesOnGrids({ stack }: Pick<Volume, "stack">, isStored: boolean): readonly string[] {
  if (!stack) return [];
  return isStored
    ? [
        "Findings are measured on that grid, and a NIfTI file has it; a stored segmentation, and contours, lie on the series' own slices.",
      ]
    : [
        "What was found lies between the series' slices: nothing of it can be drawn on them, so no segmentation was stored.",
      ];
}

/** The volume's slice that shows slice `n` of the series as viewers count them; beyond the last there is none, as without a stack. */
export function volumeSliceOf(n: number, { geometry, stack }: Pick<Volume, "geometry" | "stack">): number {
  if (!stack) return n;
  const corner = stack.corners[n];
  return corner ? Math.round(corner[2]) : Math.max(n, geometry.size[2]);
}
