import type { Vec3 } from "#converters/geometry/index.ts";

/**
 * A label map as runs of equal labels along i, joined into face-connected components. Run r covers voxels `start[r]` up to,
 * not including, `end[r]`; background has no runs.
 */
export interface LabelComponents {
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly label: Uint8Array;
  /** Number of each run's component, from 0. */
  readonly component: Int32Array;
  /** Voxels of each component. */
  readonly voxels: readonly number[];
}

/** @param joinLabels whether neighbouring voxels of different labels (background apart) are connected */
export function labelComponents(
  labels: Uint8Array,
  size: Vec3,
  { joinLabels }: { readonly joinLabels: boolean },
): LabelComponents {
  const [ni, nj, nk] = size;
  const runs = findRuns(labels, size);
  const { start, end, label, rowFirst } = runs;
  const parent = Int32Array.from(start, (_, r) => r);
  const root = (r: number) => {
    let top = r;
    while (parent[top]! !== top) {
      parent[top] = parent[parent[top]!]!;
      top = parent[top]!;
    }
    return top;
  };
  const joinRows = (row: number, before: number, shift: number) => {
    let a = rowFirst[row]!;
    let b = rowFirst[before]!;
    const [lastA, lastB] = [rowFirst[row + 1]!, rowFirst[before + 1]!];
    while (a < lastA && b < lastB) {
      const [startB, endB] = [start[b]! + shift, end[b]! + shift];
      if (start[a]! < endB && startB < end[a]! && (joinLabels || label[a] === label[b])) parent[root(a)] = root(b);
      if (end[a]! < endB) a++;
      else b++;
    }
  };
  for (let row = 0; row < nj * nk; row++) {
    if (joinLabels) {
      for (let r = rowFirst[row]! + 1; r < rowFirst[row + 1]!; r++) {
        if (start[r] === end[r - 1]) parent[root(r)] = root(r - 1);
      }
    }
    if (row % nj > 0) joinRows(row, row - 1, ni);
    if (row >= nj) joinRows(row, row - nj, ni * nj);
  }
  const component = new Int32Array(start.length);
  const numbers = new Int32Array(start.length).fill(-1);
  const voxels: number[] = [];
  for (let r = 0; r < start.length; r++) {
    const top = root(r);
    if (numbers[top] === -1) numbers[top] = voxels.push(0) - 1;
    const number = numbers[top]!;
    component[r] = number;
    voxels[number]! += end[r]! - start[r]!;
  }
  return { start, end, label, component, voxels };
}

function findRuns(labels: Uint8Array, [ni, nj, nk]: Vec3) {
  let count = 0;
  for (let n = 0; n < labels.length; n++) {
    if (labels[n] !== 0 && (n % ni === 0 || labels[n] !== labels[n - 1])) count++;
  }
  const start = new Int32Array(count);
  const end = new Int32Array(count);
  const label = new Uint8Array(count);
  const rowFirst = new Int32Array(nj * nk + 1);
  let r = 0;
  for (let row = 0, n = 0; row < nj * nk; row++) {
    rowFirst[row] = r;
    for (const rowEnd = n + ni; n < rowEnd; ) {
      const value = labels[n]!;
      const first = n++;
      while (n < rowEnd && labels[n] === value) n++;
      if (value === 0) continue;
      start[r] = first;
      end[r] = n;
      label[r++] = value;
    }
  }
  rowFirst[nj * nk] = r;
  return { start, end, label, rowFirst };
}
