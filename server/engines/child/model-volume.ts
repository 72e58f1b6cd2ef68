import {
  add,
  column,
  fromColumns,
  normalize,
  resampleTrilinear,
  scale,
  subtract,
  transformPoint,
  type Vec3,
  type VolumeGeometry,
  type Voxels,
  voxelSizeMm,
} from "#converters/geometry/index.ts";
import type { PlaneAxis } from "#converters/mask/index.ts";
import { chooseSliceAxis, type SliceInput, sliceInput } from "#converters/pixels/index.ts";
import type { BundleManifest } from "#models/index.ts";
import type { VolumeHeader } from "../protocol.ts";
import { greyLevels } from "./grey-levels.ts";
import { type OrientedGrid, orientGrid, orientVoxels } from "./oriented-grid.ts";

/** A volume as a bundle walks through it. */
export interface ModelVolume {
  readonly input: SliceInput;
  /** The grid that the slices are taken from, before it was turned. */
  readonly geometry: VolumeGeometry;
  readonly grid: OrientedGrid;
  /** Of the turned grid: the axis that the slices stand on. */
  readonly axis: PlaneAxis;
  /** The volume's own grid, where the slices were taken from another. */
  readonly resampledFrom?: VolumeGeometry;
}

/** Grey levels, resampled and turned as the manifest asks. */
export function modelVolume(voxels: Voxels, header: VolumeHeader, manifest: BundleManifest): ModelVolume {
  const own: VolumeGeometry = { size: header.size, ijkToLps: header.ijkToLps, frameOfReferenceUid: "" };
  const levels = greyLevels(voxels, header, manifest);
  const geometry = manifest.resampleMm === undefined ? own : isotropic(own, manifest.resampleMm);
  const resampled = geometry === own ? levels : resampleLevels(levels, own, geometry);
  const grid = orientGrid(geometry.size, geometry.ijkToLps, manifest.orientation);
  const turned = orientVoxels(resampled, grid);
  const [ni, nj, nk] = grid.size;
  const axis = manifest.sliceAxis === "axial" ? axialAxis(geometry, grid) : chooseSliceAxis([nk, nj, ni]);
  const pixels = manifest.input.dtype === "uint8" ? turned : Float32Array.from(turned);
  return {
    input: sliceInput(pixels, grid.size, axis, manifest.imageSize),
    geometry,
    grid,
    axis,
    ...(geometry !== own && { resampledFrom: own }),
  };
}

/** The same box in cubes of `spacingMm`, around the same centre. */
function isotropic({ size, ijkToLps }: VolumeGeometry, spacingMm: number): VolumeGeometry {
  const spacing = voxelSizeMm(ijkToLps);
  const cells = (axis: 0 | 1 | 2) => Math.max(1, Math.round((size[axis] * spacing[axis]) / spacingMm));
  const newSize: Vec3 = [cells(0), cells(1), cells(2)];
  const steps = ([0, 1, 2] as const).map((axis) => scale(normalize(column(ijkToLps, axis)), spacingMm));
  const middle = (of: Vec3): Vec3 => [(of[0] - 1) / 2, (of[1] - 1) / 2, (of[2] - 1) / 2];
  const reach = middle(newSize)
    .map((cells, axis) => scale(steps[axis]!, cells))
    .reduce(add);
  const origin = subtract(transformPoint(ijkToLps, middle(size)), reach);
  return { size: newSize, ijkToLps: fromColumns(steps[0]!, steps[1]!, steps[2]!, origin), frameOfReferenceUid: "" };
}

function resampleLevels(levels: Uint8Array, from: VolumeGeometry, onto: VolumeGeometry): Uint8Array {
  const volume = { geometry: from, voxels: levels, unit: "arbitrary", modality: "OT", sources: [] } as const;
  const values = resampleTrilinear(volume, onto, 0);
  return Uint8Array.from(values, Math.round);
}

/** The axis of the turned grid that runs most nearly from feet to head. */
function axialAxis({ ijkToLps }: VolumeGeometry, { axes }: OrientedGrid): PlaneAxis {
  const upright = ([0, 1, 2] as const).map((a) => Math.abs(normalize(column(ijkToLps, axes[a].axis))[2]));
  return ([2, 1, 0] as const).reduce((best, a) => (upright[a]! > upright[best]! + 1e-6 ? a : best));
}
