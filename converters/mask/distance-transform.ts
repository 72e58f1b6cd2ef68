import type { Vec3 } from "../geometry/index.ts";

/**
 * The squared distance in mm^2 from each point of a grid to the nearest marked one; Infinity where none is marked. Exact:
 * lower envelopes of parabolas, one axis after the other (Felzenszwalb and Huttenlocher 2012, "Distance Transforms of
 * Sampled Functions"), with the axes' own spacings.
 * @param marked not zero at the marked points, i fastest
 */
export function squaredDistances(marked: Uint8Array, size: Vec3, spacingMm: Vec3): Float64Array {
  const squared = alongRows(marked, size[0], spacingMm[0]);
  const [ni, nj, nk] = size;
  const lines = envelope(Math.max(nj, nk));
  for (let k = 0; k < nk; k++) {
    for (let i = 0; i < ni; i++) lines(squared, k * ni * nj + i, ni, nj, spacingMm[1]);
  }
  for (let row = 0; row < ni * nj; row++) lines(squared, row, ni * nj, nk, spacingMm[2]);
  return squared;
}

/** Along i nothing is known yet but what is marked: the steps to the nearest marked point of the row, either way. */
function alongRows(marked: Uint8Array, ni: number, stepMm: number): Float64Array {
  const squared = new Float64Array(marked.length);
  for (let start = 0; start < marked.length; start += ni) {
    let steps = Number.POSITIVE_INFINITY;
    for (let n = start; n < start + ni; n++) {
      steps = marked[n] ? 0 : steps + 1;
      squared[n] = (steps * stepMm) ** 2;
    }
    steps = Number.POSITIVE_INFINITY;
    for (let n = start + ni - 1; n >= start; n--) {
      steps = marked[n] ? 0 : steps + 1;
      squared[n] = Math.min(squared[n]!, (steps * stepMm) ** 2);
    }
  }
  return squared;
}

/** What replaces the values of one line by the least of (distance along the line)^2 + value; lines of at most `longest`. */
function envelope(longest: number) {
  const values = new Float64Array(longest);
  /** Points whose parabolas make the envelope, and from where on (in points) each one is the lowest. */
  const apex = new Int32Array(longest);
  const from = new Float64Array(longest);
  return (squared: Float64Array, start: number, stride: number, count: number, stepMm: number): void => {
    let last = -1;
    const scale = 2 * stepMm * stepMm;
    for (let p = 0, n = start; p < count; p++, n += stride) {
      const value = squared[n]!;
      values[p] = value;
      if (value === Number.POSITIVE_INFINITY) continue;
      let meets = Number.NEGATIVE_INFINITY;
      while (last >= 0) {
        const q = apex[last]!;
        meets = (value - values[q]!) / (scale * (p - q)) + (p + q) / 2;
        if (meets > from[last]!) break;
        last--;
        meets = Number.NEGATIVE_INFINITY;
      }
      apex[++last] = p;
      from[last] = meets;
    }
    if (last < 0) return;
    for (let p = 0, a = 0, n = start; p < count; p++, n += stride) {
      while (a < last && from[a + 1]! < p) a++;
      const q = apex[a]!;
      squared[n] = ((p - q) * stepMm) ** 2 + values[q]!;
    }
  };
}
