import { determinant, type VolumeGeometry } from "#converters/geometry/index.ts";
import { type BitVolume, type PlaneAxis, splitBySize } from "#converters/mask/index.ts";
import type { Prompt } from "./prompt.ts";

/** All that a model said about one prompt, on the volume's own grid. */
export interface PromptMask {
  readonly prompt: Prompt;
  readonly mask: BitVolume;
  /** The largest existence probability over the planes; null where the model gives none. */
  readonly score: number | null;
  /** round(255 p) for each voxel, i fastest; only where asked for. */
  readonly probability?: Uint8Array;
  /** Edges of touching objects; only where asked for, and where the model sees them. */
  readonly edges?: BitVolume;
  /** How far several draws differ, 0 to 1. */
  readonly disagreement?: number;
  /** Planes in which, says the model, the object is not: their probabilities are those of nothing. */
  readonly absentPlanes?: readonly { readonly axis: PlaneAxis; readonly index: number }[];
  /** What was taken out of the mask because it was small. */
  readonly dropped?: { readonly mask: BitVolume; readonly pieces: number; readonly belowMm3: number };
}

/** The mask without its pieces (6-connected) of less than so many mm3. */
export function withoutSmallPieces(one: PromptMask, geometry: VolumeGeometry, belowMm3: number): PromptMask {
  if (!(belowMm3 > 0)) return one;
  // A piece of exactly so many mm3 stays, whatever the rounding of a voxel's volume.
  const leastVoxels = belowMm3 / Math.abs(determinant(geometry.ijkToLps)) - 1e-6;
  const { large, small, smallCount } = splitBySize(one.mask, leastVoxels);
  if (smallCount === 0) return one;
  return { ...one, mask: large, dropped: { mask: small, pieces: smallCount, belowMm3 } };
}
