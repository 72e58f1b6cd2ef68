import { type BitVolume, createBitVolume } from "./bit-volume.ts";
import { joinRuns } from "./join-runs.ts";
import { findRuns, type Runs } from "./runs.ts";

export interface Instances {
  readonly count: number;
  /** The largest ones, largest first, each a mask of its own; they share no voxel. */
  readonly largest: Iterable<BitVolume>;
}

/**
 * Touching objects of one mask apart, as upstream does it: what is left without the edges between them falls into face-connected
 * pieces, and each piece grows back by one voxel (through faces), within the mask. Where two meet, the larger has the voxel. An
 * edge thicker than that belongs to none of them.
 * @throws RangeError where mask and edges differ in size
 */
export function splitByEdges(mask: BitVolume, edges: BitVolume, atMost = 20): Instances {
  if (mask.size.some((length, axis) => length !== edges.size[axis])) {
    throw new RangeError(`edges of ${edges.size.join("x")} on a mask of ${mask.size.join("x")}`);
  }
  const cores = createBitVolume(mask.size);
  for (let n = 0; n < cores.bits.length; n++) cores.bits[n] = mask.bits[n]! & ~edges.bits[n]!;
  const runs = findRuns(cores);
  const { pieceOf, count } = joinRuns(mask.size[1], runs);
  const voxels = new Float64Array(count);
  for (let run = 0; run < pieceOf.length; run++) voxels[pieceOf[run]!]! += runs.last[run]! - runs.first[run]! + 1;
  const bySize = Array.from(voxels.keys()).sort((a, b) => voxels[b]! - voxels[a]! || a - b);

  function* largest(): Generator<BitVolume, void, void> {
    const free = createBitVolume(mask.size);
    for (let n = 0; n < free.bits.length; n++) free.bits[n] = mask.bits[n]! & edges.bits[n]!;
    for (const piece of bySize.slice(0, atMost)) yield grown(runs, pieceOf, piece, free);
  }
  return { count, largest: largest() };
}

/** The runs of one piece, and their neighbours among the free voxels, which are then free no more. */
function grown({ first, last, rowStart }: Runs, pieceOf: Int32Array, piece: number, free: BitVolume): BitVolume {
  const [ni, nj, nk] = free.size;
  const result = createBitVolume(free.size);
  const claim = (i0: number, i1: number, j: number, k: number) => {
    if (j < 0 || j >= nj || k < 0 || k >= nk) return;
    const row = (k * nj + j) * ni;
    for (let i = Math.max(0, i0); i <= Math.min(ni - 1, i1); i++) {
      const n = row + i;
      const bit = 1 << (n & 7);
      if ((free.bits[n >>> 3]! & bit) === 0) continue;
      free.bits[n >>> 3]! &= ~bit;
      result.bits[n >>> 3]! |= bit;
    }
  };
  for (let row = 0; row + 1 < rowStart.length; row++) {
    const [j, k] = [row % nj, Math.floor(row / nj)];
    for (let run = rowStart[row]!; run < rowStart[row + 1]!; run++) {
      if (pieceOf[run] !== piece) continue;
      const [i0, i1] = [first[run]!, last[run]!];
      for (let n = row * ni + i0; n <= row * ni + i1; n++) result.bits[n >>> 3]! |= 1 << (n & 7);
      claim(i0 - 1, i0 - 1, j, k);
      claim(i1 + 1, i1 + 1, j, k);
      for (const [dj, dk] of FACES) claim(i0, i1, j + dj, k + dk);
    }
  }
  return result;
}

const FACES = [
  [-1, 0],
  [1, 0],
  [0, -1],
  [0, 1],
] as const;
