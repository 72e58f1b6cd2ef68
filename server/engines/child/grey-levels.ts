import type { Voxels } from "#converters/geometry/index.ts";
import { asGreyLevels, clipPercentiles, windowToUint8 } from "#converters/pixels/index.ts";
import type { BundleManifest } from "#models/index.ts";
import type { VolumeHeader } from "../protocol.ts";

/**
 * The volume as the grey levels 0..255 that a bundle is fed with: a CT through the manifest's window, everything else clipped
 * to its percentiles, and what is grey levels already untouched. HU are windowed whatever their range.
 */
export function greyLevels(
  voxels: Voxels,
  { modality, unit }: Pick<VolumeHeader, "modality" | "unit">,
  { windows, percentiles }: Pick<BundleManifest, "windows" | "percentiles">,
): Uint8Array {
  if (modality === "CT") {
    const levels = unit === "HU" && !(voxels instanceof Uint8Array) ? undefined : asGreyLevels(voxels);
    return levels ?? windowToUint8(voxels, windows.presets[windows.default]!);
  }
  const { low, high, positiveOnly } = percentiles;
  return (
    asGreyLevels(voxels) ?? clipPercentiles(voxels, { lower: low, upper: high, of: positiveOnly ? "positive" : "all" })
  );
}
