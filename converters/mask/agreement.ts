import { determinant, type VolumeGeometry, voxelSizeMm } from "../geometry/index.ts";
import { type BitVolume, countBits } from "./bit-volume.ts";
import { hausdorffMm, surfaceDice, surfaceDistances } from "./surface-distance.ts";

/** How well a mask agrees with a reference. What is undefined has no value: both masks are empty. */
export interface Agreement {
  readonly referenceMl: number;
  readonly predictionMl: number;
  /** Prediction less reference. */
  readonly volumeErrorMl: number;
  /** Of the reference's volume; undefined where the reference is empty. */
  readonly volumeErrorPercent: number | undefined;
  /** Twice what both hold over what each holds, 0 to 1. */
  readonly dice: number | undefined;
  /** See surfaceDice. */
  readonly surfaceDice: number | undefined;
  /** See hausdorffMm; Infinity where one of the masks is empty. */
  readonly hd95Mm: number | undefined;
}

/**
 * Dice, surface Dice, HD95 and volumes of two masks on one grid whose axes are at right angles.
 * @param toleranceMm how far apart surfaces may lie and count as the same
 * @throws RangeError where masks and grid differ in size
 */
export function agreement(
  reference: BitVolume,
  prediction: BitVolume,
  geometry: VolumeGeometry,
  toleranceMm: number,
): Agreement {
  for (const { size } of [reference, prediction]) {
    if (size.some((length, axis) => length !== geometry.size[axis])) {
      throw new RangeError(`mask of ${size.join("x")} on a grid of ${geometry.size.join("x")}`);
    }
  }
  const mlPerVoxel = Math.abs(determinant(geometry.ijkToLps)) / 1000;
  const voxels = geometry.size[0] * geometry.size[1] * geometry.size[2];
  const count = (bits: Uint8Array) => countBits(bits, 0, voxels);
  const [inReference, inPrediction] = [count(reference.bits), count(prediction.bits)];
  const both = count(reference.bits.map((byte, n) => byte & prediction.bits[n]!));
  const isEmpty = inReference + inPrediction === 0;
  const distances = surfaceDistances(reference, prediction, voxelSizeMm(geometry.ijkToLps));
  const surplus = inPrediction - inReference;
  return {
    referenceMl: inReference * mlPerVoxel,
    predictionMl: inPrediction * mlPerVoxel,
    volumeErrorMl: surplus * mlPerVoxel,
    volumeErrorPercent: inReference === 0 ? undefined : (100 * surplus) / inReference,
    dice: isEmpty ? undefined : (2 * both) / (inReference + inPrediction),
    surfaceDice: isEmpty ? undefined : surfaceDice(distances, toleranceMm),
    hd95Mm: isEmpty ? undefined : hausdorffMm(distances, 95),
  };
}
