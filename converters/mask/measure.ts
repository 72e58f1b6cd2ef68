import { determinant, type Vec3, type VolumeGeometry } from "../geometry/index.ts";
import type { BitVolume } from "./bit-volume.ts";
import { tallyPieces } from "./components.ts";
import { findRuns } from "./runs.ts";

export interface MaskMeasurements {
  readonly voxels: number;
  readonly volumeMl: number;
  /** Slices k with at least one voxel, ascending. */
  readonly slices: number[];
  /** The smallest box around the voxels' centres, mm in LPS; absent where the mask is empty. */
  readonly box?: { readonly min: Vec3; readonly max: Vec3 };
  /** How many pieces there are (6-connected), also those not listed. */
  readonly componentCount: number;
  /** The largest pieces, largest first. */
  readonly components: readonly ComponentMeasurements[];
}

export interface ComponentMeasurements {
  readonly voxels: number;
  readonly volumeMl: number;
  /** Around the voxels' centres, mm in LPS. */
  readonly box: { readonly min: Vec3; readonly max: Vec3 };
  readonly centroidLps: Vec3;
}

/**
 * What a mask comes to on its grid.
 * @param atMost how many components are listed
 * @throws RangeError where mask and geometry differ in size
 */
export function measure(mask: BitVolume, geometry: VolumeGeometry, atMost = 20): MaskMeasurements {
  if (mask.size.some((length, axis) => length !== geometry.size[axis])) {
    throw new RangeError(`mask of ${mask.size.join("x")} on a grid of ${geometry.size.join("x")}`);
  }
  const mlPerVoxel = Math.abs(determinant(geometry.ijkToLps)) / 1000;
  const runs = findRuns(mask);
  const { count, pieces, whole } = tallyPieces(mask.size, runs, geometry.ijkToLps, atMost);
  const [, nj, nk] = mask.size;
  const slices = Array.from({ length: nk }, (_, k) => k).filter(
    (k) => runs.rowStart[k * nj]! < runs.rowStart[(k + 1) * nj]!,
  );
  const voxels = whole?.voxels ?? 0;
  return {
    voxels,
    volumeMl: voxels * mlPerVoxel,
    slices,
    ...(whole && { box: whole.box }),
    componentCount: count,
    components: pieces.map((piece) => ({
      voxels: piece.voxels,
      volumeMl: piece.voxels * mlPerVoxel,
      box: piece.box,
      centroidLps: piece.centroid,
    })),
  };
}
