import type { Vec3 } from "../geometry/index.ts";
import type { BitVolume } from "./bit-volume.ts";
import { findRuns, type Runs } from "./runs.ts";
import { neighbourBit } from "./surfel-areas.ts";

/** The corners of voxels within a box: one more than voxels along each axis, corner 0 before the box's first voxel. */
export interface CornerGrid {
  readonly size: Vec3;
  readonly firstVoxel: Vec3;
}

/** The corners of the smallest box that holds the masks; undefined where all are empty. */
export function cornersAround(masks: readonly BitVolume[]): CornerGrid | undefined {
  const least = [Infinity, Infinity, Infinity];
  const most = [-1, -1, -1];
  for (const mask of masks) {
    const { first, last, rowStart } = findRuns(mask);
    const nj = mask.size[1];
    for (let row = 0; row + 1 < rowStart.length; row++) {
      const [start, end] = [rowStart[row]!, rowStart[row + 1]!];
      if (start === end) continue;
      const [j, k] = [row % nj, Math.floor(row / nj)];
      for (const [axis, low, high] of [
        [0, first[start]!, last[end - 1]!],
        [1, j, j],
        [2, k, k],
      ] as const) {
        least[axis] = Math.min(least[axis]!, low);
        most[axis] = Math.max(most[axis]!, high);
      }
    }
  }
  if (most[0] === -1) return undefined;
  const extent = (axis: 0 | 1 | 2) => most[axis]! - least[axis]! + 2;
  return { size: [extent(0), extent(1), extent(2)], firstVoxel: [least[0]!, least[1]!, least[2]!] };
}

/** For each corner which of its eight voxels are in the mask (see neighbourBit); beyond the volume's edge none is. */
export function neighbourCodes(mask: BitVolume, { size: [ni, nj, nk], firstVoxel }: CornerGrid): Uint8Array {
  const codes = new Uint8Array(ni * nj * nk);
  const runs = findRuns(mask);
  for (let k = 0; k < nk - 1; k++) {
    for (let j = 0; j < nj - 1; j++) {
      const row = (k + firstVoxel[2]) * mask.size[1] + j + firstVoxel[1];
      for (const [dj, dk] of SIDES) {
        // The voxels lie on the far side of the corners before them, on the near side of those behind them.
        const [near, far] = [neighbourBit(0, 1 - dj, 1 - dk), neighbourBit(1, 1 - dj, 1 - dk)];
        markRow(codes, ((k + dk) * nj + j + dj) * ni - firstVoxel[0], runs, row, near, far);
      }
    }
  }
  return codes;
}

const SIDES = [
  [0, 0],
  [1, 0],
  [0, 1],
  [1, 1],
] as const;

function markRow(codes: Uint8Array, start: number, runs: Runs, row: number, near: number, far: number): void {
  for (let run = runs.rowStart[row]!; run < runs.rowStart[row + 1]!; run++) {
    const end = start + runs.last[run]!;
    for (let n = start + runs.first[run]!; n <= end; n++) {
      codes[n]! |= far;
      codes[n + 1]! |= near;
    }
  }
}
