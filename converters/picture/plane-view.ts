import { column, normalize, type Vec3, type VolumeGeometry, voxelSizeMm } from "../geometry/index.ts";
import type { PlaneAxis } from "../mask/index.ts";

export type Plane = "axial" | "coronal" | "sagittal";

/** A voxel axis as it runs across or down a picture. */
interface Run {
  readonly axis: PlaneAxis;
  /** Whether the picture runs against the voxels. */
  readonly reversed: boolean;
  readonly mmPerVoxel: number;
}

/** How the slices of a volume are laid on a picture, as radiologists look at them. */
export interface PlaneView {
  /** The voxel axis that the plane stands on. */
  readonly normal: PlaneAxis;
  readonly across: Run;
  readonly down: Run;
  /** Letters of the patient's sides at the picture's left and right edge. */
  readonly sides: readonly [string, string];
}

/** World axes that a picture runs along (x to the left, y to the back, z to the head); the sign says which way. */
const layouts = {
  axial: { normal: 2, across: [0, 1], down: [1, 1], sides: ["R", "L"] },
  coronal: { normal: 1, across: [0, 1], down: [2, -1], sides: ["R", "L"] },
  sagittal: { normal: 0, across: [1, 1], down: [2, -1], sides: ["A", "P"] },
} as const;

/** The view whose planes of voxels lie closest to the anatomical plane. No resampling: an oblique volume stays oblique. */
export function planeView(geometry: VolumeGeometry, plane: Plane): PlaneView {
  const { normal, across, down, sides } = layouts[plane];
  const axes = nearestAxes(geometry);
  const sizeMm = voxelSizeMm(geometry.ijkToLps);
  const run = ([world, sign]: readonly [PlaneAxis, number]): Run => {
    const axis = axes[world];
    return {
      axis,
      reversed: column(geometry.ijkToLps, axis)[world] * sign < 0,
      mmPerVoxel: sizeMm[axis],
    };
  };
  return { normal: axes[normal], across: run(across), down: run(down), sides };
}

const permutations = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;

/** For each world axis the voxel axis that runs closest to it, each used once. */
function nearestAxes({ ijkToLps }: VolumeGeometry): readonly [PlaneAxis, PlaneAxis, PlaneAxis] {
  const directions: readonly Vec3[] = [0, 1, 2].map((axis) => normalize(column(ijkToLps, axis as PlaneAxis)));
  const agreement = (axes: (typeof permutations)[number]) =>
    axes.reduce<number>((sum, axis, world) => sum + Math.abs(directions[axis]![world]!), 0);
  return permutations.reduce((best, axes) => (agreement(axes) > agreement(best) ? axes : best));
}
