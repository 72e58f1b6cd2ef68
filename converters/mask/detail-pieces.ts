import type { Vec3, Voxels } from "../geometry/index.ts";
import { giveBack, type Runs } from "./runs.ts";

export interface PieceDetails {
  /** The first and last voxel along each axis, both included. */
  readonly boxIjk: { readonly min: Vec3; readonly max: Vec3 };
  /** Of the values that are finite numbers; absent where none is, or no values were given. */
  readonly mean?: number;
}

export interface ChosenPieces {
  /** The number of the piece that each run belongs to, and how many there are. */
  readonly pieceOf: Int32Array;
  readonly count: number;
  /** The pieces that are looked at. */
  readonly numbers: Uint32Array;
  /** The image's values, i fastest. */
  readonly values?: Voxels;
}

/** What takes a second look at the runs: for a few of many pieces, in the order of `numbers`. */
export function detailPieces(
  [ni, nj]: Vec3,
  { first, last, rowStart }: Runs,
  { pieceOf, count, numbers, values }: ChosenPieces,
): readonly PieceDetails[] {
  const place = new Int32Array(count).fill(-1);
  for (const [n, number] of numbers.entries()) place[number] = n;
  const from = new Int32Array(3 * numbers.length).fill(0x7fffffff);
  const to = new Int32Array(3 * numbers.length).fill(-1);
  const sums = new Float64Array(numbers.length);
  const finite = new Float64Array(numbers.length);
  for (let row = 0; row + 1 < rowStart.length; row++) {
    const [j, k] = [row % nj, Math.floor(row / nj)];
    for (let run = rowStart[row]!; run < rowStart[row + 1]!; run++) {
      const at = place[pieceOf[run]!]!;
      if (at === -1) continue;
      const [i0, i1] = [first[run]!, last[run]!];
      from[3 * at] = Math.min(from[3 * at]!, i0);
      to[3 * at] = Math.max(to[3 * at]!, i1);
      from[3 * at + 1] = Math.min(from[3 * at + 1]!, j);
      to[3 * at + 1] = Math.max(to[3 * at + 1]!, j);
      from[3 * at + 2] = Math.min(from[3 * at + 2]!, k);
      to[3 * at + 2] = k;
      if (!values) continue;
      for (let n = row * ni + i0, end = row * ni + i1; n <= end; n++) {
        const value = values[n]!;
        if (!Number.isFinite(value)) continue;
        sums[at]! += value;
        finite[at]!++;
      }
    }
  }
  giveBack(place);
  return Array.from(numbers, (_, at) => ({
    boxIjk: {
      min: [from[3 * at]!, from[3 * at + 1]!, from[3 * at + 2]!],
      max: [to[3 * at]!, to[3 * at + 1]!, to[3 * at + 2]!],
    },
    ...(finite[at]! > 0 && { mean: sums[at]! / finite[at]! }),
  }));
}
