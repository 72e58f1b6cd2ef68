import type { Vec3 } from "../geometry/index.ts";
import { nearestSlices, type SlicePlaces } from "./onto-slices.ts";

/** Labels of slices on the volume that was interpolated from these, as maskOffSlices does of masks. */
export function labelsOffSlices<T extends Uint8Array | Uint16Array>(
  labels: T,
  { geometry: { size }, corners }: SlicePlaces,
  [ni, nj, nk]: Vec3,
): T {
  const [columns, rows] = size;
  const out = (labels instanceof Uint16Array ? new Uint16Array(ni * nj * nk) : new Uint8Array(ni * nj * nk)) as T;
  for (const { k, n, i, j } of nearestSlices(corners, nk)) {
    for (let y = 0; y < rows; y++) {
      const from = (n * rows + y) * columns;
      out.set(labels.subarray(from, from + columns), (k * nj + j + y) * ni + i);
    }
  }
  return out;
}
