import { type BitVolume, createBitVolume } from "./bit-volume.ts";
import { joinRuns } from "./join-runs.ts";
import { findRuns } from "./runs.ts";

/** A mask in two: its large pieces and its small ones. */
export interface SizedPieces {
  readonly large: BitVolume;
  readonly small: BitVolume;
  /** How many pieces `small` has. */
  readonly smallCount: number;
}

/** Splits a mask by the size of its pieces (6-connected): those of at least `leastVoxels` voxels, and the others. */
export function splitBySize(mask: BitVolume, leastVoxels: number): SizedPieces {
  const [ni, nj] = mask.size;
  const runs = findRuns(mask);
  const { first, last, rowStart } = runs;
  const { pieceOf, count } = joinRuns(nj, runs);
  const voxels = new Float64Array(count);
  for (let run = 0; run < first.length; run++) voxels[pieceOf[run]!]! += last[run]! - first[run]! + 1;
  const smallCount = voxels.reduce((sum, size) => sum + (size < leastVoxels ? 1 : 0), 0);
  const small = createBitVolume(mask.size);
  if (smallCount === 0) return { large: mask, small, smallCount };
  const large = { size: mask.size, bits: mask.bits.slice() };
  for (let row = 0; row + 1 < rowStart.length; row++) {
    for (let run = rowStart[row]!; run < rowStart[row + 1]!; run++) {
      if (voxels[pieceOf[run]!]! >= leastVoxels) continue;
      for (let n = row * ni + first[run]!; n <= row * ni + last[run]!; n++) {
        large.bits[n >>> 3]! &= ~(1 << (n & 7));
        small.bits[n >>> 3]! |= 1 << (n & 7);
      }
    }
  }
  return { large, small, smallCount };
}
