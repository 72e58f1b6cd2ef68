import type { BitVolume } from "./bit-volume.ts";

/** The set voxels of a mask as runs along i: run r covers first[r]..last[r] (both included) of its row. */
export interface Runs {
  readonly first: Int32Array;
  readonly last: Int32Array;
  /** Row (j, k) is row k * nj + j; its runs are rowStart[row] up to, not including, rowStart[row + 1]. */
  readonly rowStart: Int32Array;
}

export function findRuns({ size: [ni, nj, nk], bits }: BitVolume): Runs {
  const rowStart = new Int32Array(nj * nk + 1);
  let first = new Int32Array(1024);
  let last = new Int32Array(1024);
  let runs = 0;
  for (let row = 0; row < nj * nk; row++) {
    const start = row * ni;
    const end = start + ni;
    let n = start;
    while (n < end) {
      n = skip(bits, n, end, 0);
      if (n >= end) break;
      const begin = n;
      n = skip(bits, n, end, 255);
      if (runs === first.length) {
        first = grown(first);
        last = grown(last);
      }
      first[runs] = begin - start;
      last[runs++] = n - 1 - start;
    }
    rowStart[row + 1] = runs;
  }
  return { first: first.subarray(0, runs), last: last.subarray(0, runs), rowStart };
}

/** The next bit, from n on, that differs from those of `byte` (0 or 255); `end` where there is none. */
function skip(bits: Uint8Array, n: number, end: number, byte: 0 | 255): number {
  while (n < end) {
    const differing = (bits[n >>> 3]! ^ byte) >>> (n & 7);
    if (differing !== 0) return Math.min(end, n + 31 - Math.clz32(differing & -differing));
    n = (n | 7) + 1;
  }
  return end;
}

function grown(values: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(values.length * 2);
  larger.set(values);
  return larger;
}
