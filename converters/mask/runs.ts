import type { BitVolume } from "./bit-volume.ts";

/** Places along a row: in half the memory where they fit. */
export type Places = Uint16Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

/** The set voxels of a mask as runs along i: run r covers first[r]..last[r] (both included) of its row. */
export interface Runs {
  readonly first: Places;
  readonly last: Places;
  /** Row (j, k) is row k * nj + j; its runs are rowStart[row] up to, not including, rowStart[row + 1]. */
  readonly rowStart: Int32Array<ArrayBuffer>;
}

export function findRuns({ size: [ni, nj, nk], bits }: BitVolume): Runs {
  const rowStart = new Int32Array(nj * nk + 1);
  const Kind = ni <= 2 ** 16 ? Uint16Array : Int32Array;
  let first: Places = new Kind(1024);
  let last: Places = new Kind(1024);
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
        first = ofLength(first, 2 * runs);
        last = ofLength(last, 2 * runs);
      }
      first[runs] = begin - start;
      last[runs++] = n - 1 - start;
    }
    rowStart[row + 1] = runs;
  }
  return { first: ofLength(first, runs), last: ofLength(last, runs), rowStart };
}

/**
 * Frees what is used no more now: noise has millions of runs, and garbage collection does not know how large they are, and comes
 * some hundred megabytes too late.
 */
export function giveBack(...arrays: readonly { readonly buffer: ArrayBuffer }[]): void {
  for (const { buffer } of arrays) buffer.transfer(0);
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

/** The same values in memory of another length; the old memory is free at once. */
function ofLength(values: Places, length: number): Places {
  const Kind = values instanceof Uint16Array ? Uint16Array : Int32Array;
  return new Kind(values.buffer.transfer(length * Kind.BYTES_PER_ELEMENT));
}
