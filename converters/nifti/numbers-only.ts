import { UnsupportedImageError } from "../errors.ts";
import type { Volume, Voxels } from "../geometry/index.ts";

/**
 * Voxels that are NaN or infinite, as masked images have them, become the lowest value there is: no model and no DICOM image
 * knows them.
 * @returns the volume itself where all are numbers; else a copy, and what was done in words
 * @throws UnsupportedImageError "invalid-header" where none is a number
 */
export function numbersOnly(volume: Volume): { readonly volume: Volume; readonly notes: readonly string[] } {
  const { voxels } = volume;
  if (!(voxels instanceof Float32Array || voxels instanceof Float64Array)) return { volume, notes: [] };
  const [wrong, lowest] = look(voxels);
  if (wrong === 0) return { volume, notes: [] };
  if (wrong === voxels.length) {
    throw new UnsupportedImageError("invalid-header", "No voxel of the image is a number. Export the image again.");
  }
  const repaired = voxels.map((value) => (Number.isFinite(value) ? value : lowest));
  const note = `${wrong} ${wrong === 1 ? "voxel is no number" : "voxels are no numbers"} (NaN or infinite): taken as the image's lowest value, ${lowest}.`;
  return { volume: { ...volume, voxels: repaired }, notes: [note] };
}

function look(voxels: Voxels): readonly [wrong: number, lowest: number] {
  let [wrong, lowest] = [0, Number.POSITIVE_INFINITY];
  for (const value of voxels) {
    if (!Number.isFinite(value)) wrong++;
    else if (value < lowest) lowest = value;
  }
  return [wrong, lowest];
}
