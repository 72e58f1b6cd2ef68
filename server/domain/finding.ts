import type { Vec3, VoxelUnit } from "#converters/geometry/index.ts";
import type { Prompt } from "./prompt.ts";

/** The smallest box around the voxels' centres, mm in LPS. */
export interface BoxLps {
  readonly min: Vec3;
  readonly max: Vec3;
}

/** One connected piece of a mask. */
export interface FindingComponent {
  readonly voxels: number;
  readonly volumeMl: number;
  readonly box: BoxLps;
  /** The first and last voxel along i, j and k, both included. */
  readonly boxIjk: { readonly min: Vec3; readonly max: Vec3 };
  readonly centroidLps: Vec3;
  /** The longest straight line within one axial plane, from outline to outline. */
  readonly longestDiameterMm: number;
  /** Mean of the image's values, in `valueUnit`; absent where none is a number. */
  readonly meanValue?: number;
  readonly valueUnit?: VoxelUnit;
}

/** The answer to one prompt: whether the object is there, and where. */
export interface Finding {
  readonly prompt: Prompt;
  readonly present: boolean;
  /** Probability that the object exists, 0 to 1: the largest over the slices; null where the model gives none. */
  readonly score: number | null;
  /** Of several draws: 1 - the mean Dice overlap of every two draws' masks, 0 to 1. */
  readonly disagreement?: number;
  /** Slices k with at least one voxel. */
  readonly slices: readonly number[];
  readonly voxels: number;
  readonly volumeMl?: number;
  readonly box?: BoxLps;
  /** Largest first, at most 20. */
  readonly components: readonly FindingComponent[];
  /** Joins the segment in the SEG with what others measure on it; present findings only. */
  readonly tracking?: { readonly id: string; readonly uid: string };
  /** SegmentNumber in the stored SEG; present findings only. */
  readonly segmentNumber?: number;
  /** What the user should know of this answer, in plain words. */
  readonly notes: readonly string[];
}
