import { column, cross, dot, length, type Mat4, normalize, scale, type Vec3 } from "../geometry/index.ts";

/** How the planes of constant k of a grid lie in the patient. */
export interface PlaneAxes {
  /** Unit vector of growing i, along a row of pixels; the first half of Image Orientation (Patient). */
  readonly row: Vec3;
  /** Unit vector of growing j, down a column of pixels; the second half. */
  readonly column: Vec3;
  /** row x column. */
  readonly normal: Vec3;
  /** mm from row to row, and from column to column: in the order of Pixel Spacing (0028,0030). */
  readonly pixelSpacing: readonly [number, number];
  /** mm from slice k to k + 1 along the normal; negative where the grid is left-handed. */
  readonly sliceStep: number;
  /** How far, in mm, slice k + 1 is shifted in its own plane against slice k: 0 unless the grid is sheared. */
  readonly sliceShift: number;
}

/** Rows and columns that differ from a right angle by more than this (cosine) cannot be written as DICOM planes. */
const LARGEST_COSINE = 1e-3;

/** The planes of constant k, or undefined where i and j are not at a right angle or an axis has no length. */
export function planeAxes(ijkToLps: Mat4): PlaneAxes | undefined {
  const [i, j, k] = [column(ijkToLps, 0), column(ijkToLps, 1), column(ijkToLps, 2)];
  const [columnSpacing, rowSpacing] = [length(i), length(j)];
  if (!(columnSpacing > 0 && rowSpacing > 0 && length(k) > 0)) return undefined;
  const [row, down] = [normalize(i), normalize(j)];
  if (Math.abs(dot(row, down)) > LARGEST_COSINE) return undefined;
  const normal = normalize(cross(row, down));
  const sliceStep = dot(k, normal);
  const along = scale(normal, sliceStep);
  const sliceShift = length([k[0] - along[0], k[1] - along[1], k[2] - along[2]]);
  return { row, column: down, normal, pixelSpacing: [rowSpacing, columnSpacing], sliceStep, sliceShift };
}
