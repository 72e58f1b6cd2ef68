import type { Runs } from "./runs.ts";

/** The piece that each run belongs to, numbered from 0 as pieces are met, and how many there are. */
export interface RunPieces {
  readonly pieceOf: Int32Array<ArrayBuffer>;
  readonly count: number;
}

/**
 * Joins runs that touch in the row before and in the slice before (6-connected).
 * @param labels of the runs, where only those of one label are joined
 */
export function joinRuns(nj: number, { first, last, rowStart }: Runs, labels?: Uint8Array): RunPieces {
  const parent = new Int32Array(first.length);
  for (let run = 0; run < parent.length; run++) parent[run] = run;
  const root = (run: number): number => {
    let r = run;
    while (parent[r] !== r) {
      parent[r] = parent[parent[r]!]!;
      r = parent[r]!;
    }
    return r;
  };
  const joinRows = (row: number, other: number): void => {
    let a = rowStart[row]!;
    let b = rowStart[other]!;
    const endA = rowStart[row + 1]!;
    const endB = rowStart[other + 1]!;
    while (a < endA && b < endB) {
      if (first[a]! <= last[b]! && first[b]! <= last[a]! && (labels === undefined || labels[a] === labels[b])) {
        const rootA = root(a);
        const rootB = root(b);
        if (rootA < rootB) parent[rootB] = rootA;
        else parent[rootA] = rootB;
      }
      if (last[a]! < last[b]!) a++;
      else b++;
    }
  };
  for (let row = 0; row + 1 < rowStart.length; row++) {
    if (rowStart[row] === rowStart[row + 1]) continue;
    if (row % nj !== 0) joinRows(row, row - 1);
    if (row >= nj) joinRows(row, row - nj);
  }
  // In place: a run's parent is itself or one before it, whose piece is known by then. -1 - piece is no run.
  let count = 0;
  for (let run = 0; run < parent.length; run++) {
    const above = parent[run]!;
    parent[run] = above === run ? -1 - count++ : parent[above]!;
  }
  for (let run = 0; run < parent.length; run++) parent[run] = -1 - parent[run]!;
  return { pieceOf: parent, count };
}
