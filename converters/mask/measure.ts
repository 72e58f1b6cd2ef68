import { determinant, type Vec3, type VolumeGeometry, type Voxels } from "../geometry/index.ts";
import type { BitVolume } from "./bit-volume.ts";
import { tallyPieces } from "./components.ts";
import { detailPieces } from "./detail-pieces.ts";
import { type Diameter, longestAxialLine } from "./diameter.ts";
import { findRuns, giveBack } from "./runs.ts";

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
  /** The first and last voxel along each axis, both included. */
  readonly boxIjk: { readonly min: Vec3; readonly max: Vec3 };
  readonly centroidLps: Vec3;
  /** Within this piece alone; see longestAxialDiameter. */
  readonly longestAxialDiameter: Diameter;
  /** Mean of the values that are finite numbers; absent where none is, or no values were given. */
  readonly meanValue?: number;
}

export interface MeasureOptions {
  /** How many components are listed; 20 where absent. */
  readonly atMost?: number;
  /** The image's values on the mask's own grid, i fastest. */
  readonly values?: Voxels;
}

/**
 * What a mask comes to on its grid.
 * @throws RangeError where mask and geometry differ in size, or there are more or fewer values than voxels
 */
export function measure(
  mask: BitVolume,
  geometry: VolumeGeometry,
  { atMost = 20, values }: MeasureOptions = {},
): MaskMeasurements {
  if (mask.size.some((length, axis) => length !== geometry.size[axis])) {
    throw new RangeError(`mask of ${mask.size.join("x")} on a grid of ${geometry.size.join("x")}`);
  }
  if (values && values.length !== mask.size[0] * mask.size[1] * mask.size[2]) {
    throw new RangeError(`${values.length} values on a grid of ${geometry.size.join("x")}`);
  }
  const mlPerVoxel = Math.abs(determinant(geometry.ijkToLps)) / 1000;
  const runs = findRuns(mask);
  const { count, pieces, whole, pieceOf, numbers } = tallyPieces(mask.size, runs, geometry.ijkToLps, atMost);
  const details = detailPieces(mask.size, runs, { pieceOf, count, numbers, ...(values && { values }) });
  const [, nj, nk] = mask.size;
  const slices = Array.from({ length: nk }, (_, k) => k).filter(
    (k) => runs.rowStart[k * nj]! < runs.rowStart[(k + 1) * nj]!,
  );
  const voxels = whole?.voxels ?? 0;
  const measured = {
    voxels,
    volumeMl: voxels * mlPerVoxel,
    slices,
    ...(whole && { box: whole.box }),
    componentCount: count,
    components: pieces.map(({ voxels: size, box, centroid }, n) => {
      const { boxIjk, mean } = details[n]!;
      const diameter = longestAxialLine(runs, nj, geometry, { boxIjk, pieceOf, piece: numbers[n]! });
      return {
        voxels: size,
        volumeMl: size * mlPerVoxel,
        box,
        boxIjk,
        centroidLps: centroid,
        longestAxialDiameter: diameter ?? { mm: 0, ends: [centroid, centroid] },
        ...(mean !== undefined && { meanValue: mean }),
      };
    }),
  };
  giveBack(runs.first, runs.last, runs.rowStart, pieceOf);
  return measured;
}
