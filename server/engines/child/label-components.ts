import type { Vec3 } from "#converters/geometry/index.ts";
import { joinRuns } from "#converters/mask/index.ts";

/**
 * A label map as runs along i, joined into face-connected components. Run r covers voxels `start[r]` up to, not including,
 * `end[r]`; background has no runs.
 */
export interface LabelComponents {
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** Of each run's first voxel: of all of them, unless labels were joined. */
  readonly label: Uint8Array;
  /** Number of each run's component, from 0. */
  readonly component: Int32Array;
  /** Voxels of each component. */
  readonly voxels: Float64Array;
}

/** @param joinLabels whether neighbouring voxels of different labels (background apart) are connected */
export function labelComponents(
  labels: Uint8Array,
  size: Vec3,
  { joinLabels }: { readonly joinLabels: boolean },
): LabelComponents {
  const [ni, nj, nk] = size;
  const { first, last, rowStart, label } = findRuns(labels, size, joinLabels);
  const { pieceOf, count } = joinRuns(nj, { first, last, rowStart }, joinLabels ? undefined : label);
  const start = first;
  const end = last;
  const voxels = new Float64Array(count);
  for (let row = 0; row < nj * nk; row++) {
    for (let r = rowStart[row]!; r < rowStart[row + 1]!; r++) {
      start[r] = first[r]! + row * ni;
      end[r] = last[r]! + row * ni + 1;
      voxels[pieceOf[r]!]! += end[r]! - start[r]!;
    }
  }
  return { start, end, label, component: pieceOf, voxels };
}

/** Runs of equal labels, or of any labels, as converters/mask has them: `first` and `last` in their row. */
function findRuns(labels: Uint8Array, [ni, nj, nk]: Vec3, joinLabels: boolean) {
  let count = 0;
  for (let n = 0; n < labels.length; n++) {
    if (labels[n] !== 0 && (n % ni === 0 || labels[n] !== labels[n - 1])) count++;
  }
  const first = new Int32Array(count);
  const last = new Int32Array(count);
  const label = new Uint8Array(count);
  const rowStart = new Int32Array(nj * nk + 1);
  let r = 0;
  for (let row = 0, n = 0; row < nj * nk; row++) {
    rowStart[row] = r;
    const rowFirst = n;
    for (const rowEnd = n + ni; n < rowEnd; ) {
      const value = labels[n]!;
      const begin = n++;
      if (value === 0) continue;
      while (n < rowEnd && labels[n] === value) n++;
      if (joinLabels) while (n < rowEnd && labels[n] !== 0) n++;
      first[r] = begin - rowFirst;
      last[r] = n - 1 - rowFirst;
      label[r++] = value;
    }
  }
  rowStart[nj * nk] = r;
  return { first: first.subarray(0, r), last: last.subarray(0, r), rowStart, label: label.subarray(0, r) };
}
