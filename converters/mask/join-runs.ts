import type { Runs } from "./runs.ts";

/** The piece that each run belongs to, numbered from 0 as pieces are met, and how many there are. */
export interface RunPieces {
  readonly pieceOf: Int32Array;
  readonly count: number;
}

/**
 * Joins runs that touch in the row before and in the slice before (6-connected).
 * @param labels of the runs, where only those of one label are joined
 */
export function joinRuns(nj: number, { first, last, rowStart }: Runs, labels?: Uint8Array): RunPieces {
  const parent = Int32Array.from(first, (_, run) => run);
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
  const pieceOf = new Int32Array(first.length);
  let count = 0;
  for (let run = 0; run < pieceOf.length; run++) {
    const top = root(run);
    pieceOf[run] = top === run ? count++ : pieceOf[top]!;
  }
  return { pieceOf, count };
}
