import { identity, type Mat4, transformPoint, type Vec3 } from "../geometry/index.ts";
import type { BitVolume } from "./bit-volume.ts";
import { joinRuns } from "./join-runs.ts";
import { findRuns, giveBack, type Runs } from "./runs.ts";

/** One piece of a mask whose voxels hang together by their faces (6-connected). */
export interface Component {
  readonly voxels: number;
  /** The first and last voxel along each axis, both included. */
  readonly boxIjk: { readonly min: Vec3; readonly max: Vec3 };
  readonly centroidIjk: Vec3;
}

/** The pieces of a mask, largest first; of equal ones, the one met first (i fastest). */
export function connectedComponents(mask: BitVolume): readonly Component[] {
  const { pieces } = tallyPieces(mask.size, findRuns(mask), identity, Infinity);
  return pieces.map(({ voxels, box, centroid }) => ({ voxels, boxIjk: box, centroidIjk: centroid }));
}

/** A piece of a mask, or all of it, in the world that an affine leads to. */
export interface Piece {
  readonly voxels: number;
  /** Around the voxels' centres. */
  readonly box: { readonly min: Vec3; readonly max: Vec3 };
  readonly centroid: Vec3;
}

export interface Pieces {
  readonly count: number;
  /** The number of the piece that each run belongs to. */
  readonly pieceOf: Int32Array<ArrayBuffer>;
  /** The number of each of `pieces`. */
  readonly numbers: Uint32Array;
  readonly pieces: readonly Piece[];
  /** All pieces together; absent where there is none. */
  readonly whole?: Piece;
}

/** Counts and bounds every piece; objects are made only for the `atMost` largest, so that noise costs no memory. */
export function tallyPieces([, nj]: Vec3, runs: Runs, ijkToWorld: Mat4, atMost: number): Pieces {
  const { first, last, rowStart } = runs;
  const { pieceOf, count } = joinRuns(nj, runs);
  const voxels = new Float64Array(count);
  const sums = new Float64Array(3 * count);
  const low = new Float64Array(3 * count).fill(Infinity);
  const high = new Float64Array(3 * count).fill(-Infinity);
  for (let row = 0; row + 1 < rowStart.length; row++) {
    const [j, k] = [row % nj, Math.floor(row / nj)];
    for (let run = rowStart[row]!; run < rowStart[row + 1]!; run++) {
      const [i0, i1] = [first[run]!, last[run]!];
      const piece = pieceOf[run]!;
      const length = i1 - i0 + 1;
      voxels[piece]! += length;
      sums[3 * piece]! += ((i0 + i1) / 2) * length;
      sums[3 * piece + 1]! += j * length;
      sums[3 * piece + 2]! += k * length;
      for (let axis = 0; axis < 3; axis++) {
        const m = 4 * axis;
        const rest = ijkToWorld[(m + 1) as 1]! * j + ijkToWorld[(m + 2) as 2]! * k + ijkToWorld[(m + 3) as 3]!;
        const a = ijkToWorld[m as 0]! * i0 + rest;
        const b = ijkToWorld[m as 0]! * i1 + rest;
        const at = 3 * piece + axis;
        low[at] = Math.min(low[at]!, a, b);
        high[at] = Math.max(high[at]!, a, b);
      }
    }
  }
  const bySize = Uint32Array.from({ length: count }, (_, piece) => piece).sort(
    (a, b) => voxels[b]! - voxels[a]! || a - b,
  );
  const describe = (piece: number): Piece => {
    const triple = (values: Float64Array): Vec3 => [values[3 * piece]!, values[3 * piece + 1]!, values[3 * piece + 2]!];
    const [i, j, k] = triple(sums);
    const n = voxels[piece]!;
    const centroid = transformPoint(ijkToWorld, [i / n, j / n, k / n]);
    return { voxels: n, box: { min: triple(low), max: triple(high) }, centroid };
  };
  const numbers = bySize.slice(0, Math.min(count, atMost));
  const pieces = Array.from(numbers, describe);
  for (let piece = 1; piece < count; piece++) {
    voxels[0]! += voxels[piece]!;
    for (let axis = 0; axis < 3; axis++) {
      sums[axis]! += sums[3 * piece + axis]!;
      low[axis] = Math.min(low[axis]!, low[3 * piece + axis]!);
      high[axis] = Math.max(high[axis]!, high[3 * piece + axis]!);
    }
  }
  const whole = count > 0 && { whole: describe(0) };
  giveBack(voxels, sums, low, high, bySize);
  return { count, pieceOf, numbers, pieces, ...whole };
}
