import type { Voxels } from "#converters/geometry/index.ts";
import { asGreyLevels, clipPercentiles, windowToUint8 } from "#converters/pixels/index.ts";
import type { BundleManifest } from "#models/index.ts";
import type { VolumeHeader } from "../protocol.ts";

type Header = Pick<VolumeHeader, "modality" | "unit">;

/**
 * The volume as the grey levels 0..255 that a bundle is fed with: a CT through one of the manifest's windows, everything else
 * clipped to its percentiles, and what is grey levels already untouched. HU are windowed whatever their range. What is no
 * finite number is black.
 */
export function greyLevels(
  voxels: Voxels,
  header: Header,
  { windows, percentiles }: Pick<BundleManifest, "windows" | "percentiles">,
  window: string = windows.default,
): Uint8Array {
  const levels = ownLevels(voxels, header);
  if (levels) return levels;
  if (header.modality === "CT") return windowToUint8(voxels, windows.presets[window]!);
  const { low, high, positiveOnly } = percentiles;
  return clipPercentiles(voxels, { lower: low, upper: high, of: positiveOnly ? "positive" : "all" });
}

/** Whether another window would show another picture. */
export function isWindowed(voxels: Voxels, header: Header): boolean {
  return header.modality === "CT" && ownLevels(voxels, header) === undefined;
}

/** The voxels where they are grey levels already. */
function ownLevels(voxels: Voxels, { modality, unit }: Header): Uint8Array | undefined {
  const isHu = modality === "CT" && unit === "HU" && !(voxels instanceof Uint8Array);
  return isHu ? undefined : asGreyLevels(voxels);
}
