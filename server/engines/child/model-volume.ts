import {
  add,
  column,
  fromColumns,
  normalize,
  type Reorientation,
  reorient,
  reorientationTo,
  resampleTrilinear,
  restorePlane,
  scale,
  subtract,
  transformPoint,
  type Vec3,
  type VolumeGeometry,
  type Voxels,
  voxelSizeMm,
} from "#converters/geometry/index.ts";
import { type PlaneAxis, planeSize } from "#converters/mask/index.ts";
import { chooseSliceAxis, type PlaneSize, type SliceInput, sliceInput } from "#converters/pixels/index.ts";
import type { BundleManifest } from "#models/index.ts";
import type { VolumeHeader } from "../protocol.ts";
import { greyLevels } from "./grey-levels.ts";

/** A volume as a bundle walks through it: slices of a grid that is the volume's own, or resampled, and perhaps turned. */
export interface ModelVolume {
  readonly input: SliceInput;
  /** Width and height of the slices. */
  readonly plane: PlaneSize;
  /** The grid before it was turned. */
  readonly geometry: VolumeGeometry;
  /** The volume's own grid, where `geometry` is another. */
  readonly resampledFrom?: VolumeGeometry;
  /** Where the plane of slice `index` stands in `geometry`. */
  standing(index: number): { readonly axis: PlaneAxis; readonly index: number };
  /** A slice's pixels in the order of `geometry`'s plane. */
  restore(index: number, pixels: Uint8Array): Uint8Array;
}

/** Grey levels through one of the manifest's windows, resampled and turned as the manifest asks. */
export function modelVolume(
  voxels: Voxels,
  header: VolumeHeader,
  manifest: BundleManifest,
  window: string = manifest.windows.default,
): ModelVolume {
  const own: VolumeGeometry = { size: header.size, ijkToLps: header.ijkToLps, frameOfReferenceUid: "" };
  const levels = volumeOf(greyLevels(voxels, header, manifest, window), own);
  const resampled = manifest.resampleMm === undefined ? levels : resampleLevels(levels, manifest.resampleMm);
  const { orientation } = manifest;
  const turned = orientation === "any" ? resampled : reorient(resampled, orientation);
  const reorientation = orientation === "any" ? straight : reorientationTo(resampled.geometry, orientation);
  const [ni, nj, nk] = turned.geometry.size;
  const axis = manifest.sliceAxis === "axial" ? axialAxis(turned.geometry) : chooseSliceAxis([nk, nj, ni]);
  const pixels = manifest.input.dtype === "uint8" ? turned.voxels : Float32Array.from(turned.voxels);
  const { from, flipped } = reorientation.axes[axis];
  return {
    input: sliceInput(pixels, turned.geometry.size, axis, manifest.imageSize),
    plane: planeSize(turned.geometry.size, axis),
    geometry: resampled.geometry,
    ...(resampled !== levels && { resampledFrom: own }),
    standing: (index) => ({ axis: from, index: flipped ? turned.geometry.size[axis] - 1 - index : index }),
    restore: (index, plane) =>
      turned === resampled
        ? plane
        : restorePlane(reorientation, turned.geometry.size, { axis, index, pixels: plane }).pixels,
  };
}

const straight: Reorientation = {
  axes: [
    { from: 0, flipped: false },
    { from: 1, flipped: false },
    { from: 2, flipped: false },
  ],
};

function volumeOf(voxels: Uint8Array, geometry: VolumeGeometry) {
  return { geometry, voxels, unit: "arbitrary", modality: "OT", sources: [] } as const;
}

function resampleLevels(levels: ReturnType<typeof volumeOf>, spacingMm: number) {
  const geometry = isotropic(levels.geometry, spacingMm);
  const values = resampleTrilinear(levels, geometry, 0);
  const rounded = new Uint8Array(values.length);
  for (let n = 0; n < values.length; n++) rounded[n] = Math.round(values[n]!);
  return volumeOf(rounded, geometry);
}

/** The same box in cubes of `spacingMm`, around the same centre. */
function isotropic({ size, ijkToLps }: VolumeGeometry, spacingMm: number): VolumeGeometry {
  const spacing = voxelSizeMm(ijkToLps);
  const cubes = (axis: 0 | 1 | 2) => Math.max(1, Math.round((size[axis] * spacing[axis]) / spacingMm));
  const newSize: Vec3 = [cubes(0), cubes(1), cubes(2)];
  const step = (axis: 0 | 1 | 2) => scale(normalize(column(ijkToLps, axis)), spacingMm);
  const [i, j, k] = [step(0), step(1), step(2)];
  const middle = (of: Vec3): Vec3 => [(of[0] - 1) / 2, (of[1] - 1) / 2, (of[2] - 1) / 2];
  const [mi, mj, mk] = middle(newSize);
  const reach = add(add(scale(i, mi), scale(j, mj)), scale(k, mk));
  const origin = subtract(transformPoint(ijkToLps, middle(size)), reach);
  return { size: newSize, ijkToLps: fromColumns(i, j, k, origin), frameOfReferenceUid: "" };
}

/** The axis that runs most nearly from feet to head. */
function axialAxis({ ijkToLps }: VolumeGeometry): PlaneAxis {
  const upright = (axis: PlaneAxis) => Math.abs(normalize(column(ijkToLps, axis))[2]);
  return ([2, 1, 0] as const).reduce((best, axis) => (upright(axis) > upright(best) + 1e-6 ? axis : best));
}
