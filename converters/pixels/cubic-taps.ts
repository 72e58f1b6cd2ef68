/**
 * What one axis of a cubic resize reads: output o is the sum over t = 0..3 of
 * weights[4 o + t] * input[indices[4 o + t]]. Taps that are not needed have weight 0 and a valid index.
 */
export interface CubicTaps<W extends Float32Array | Int32Array = Float32Array> {
  readonly indices: Int32Array;
  readonly weights: W;
}

/** Weights in fixed point: a sum of products is shifted right by `precision` bits. */
export interface FixedPointTaps extends CubicTaps<Int32Array> {
  readonly precision: number;
}

/**
 * Cubic convolution with a = -0.75, half-pixel centres; an index beyond the border is the border's own. Every step is
 * rounded to float32, in PyTorch's order: it decides which whole number a result is truncated to.
 */
export const clampedTaps = remember((from: number, to: number): CubicTaps => {
  const taps = { indices: new Int32Array(4 * to), weights: new Float32Array(4 * to) };
  const step = round(from / to);
  for (let o = 0; o < to; o++) {
    const centre = round(round(step * (o + 0.5)) - 0.5);
    const before = Math.min(Math.floor(centre), from - 1);
    const part = Math.min(Math.max(round(centre - before), 0), 1);
    const rest = round(1 - part);
    taps.weights.set([outer(round(part + 1)), inner(part), inner(rest), outer(round(rest + 1))], 4 * o);
    for (let t = 0; t < 4; t++) taps.indices[4 * o + t] = clamp(before + t - 1, from);
  }
  return taps;
});

/**
 * The same filter as 16-bit integers, as Pillow and PyTorch resize uint8: weights that fall on the same border index are
 * summed before rounding; precision is the largest below 22 for which the largest weight still fits.
 */
export const fixedPointTaps = remember((from: number, to: number): FixedPointTaps => {
  const indices = new Int32Array(4 * to);
  const exact = new Float64Array(4 * to);
  for (let o = 0; o < to; o++) {
    const centre = ((o + 0.5) * from) / to - 0.5;
    const first = Math.floor(centre) - 1;
    for (let t = 0; t < 4; t++) {
      const index = clamp(first + t, from);
      indices[4 * o + t] = index;
      exact[indices.indexOf(index, 4 * o)]! += cubic(centre - (first + t), -0.75);
    }
  }
  const largest = exact.reduce((a, b) => Math.max(a, b), 0);
  let precision = 0;
  while (precision < 22 && Math.floor(0.5 + largest * 2 ** (precision + 1)) < 2 ** 15) precision++;
  const one = 2 ** precision;
  return { indices, weights: Int32Array.from(exact, (w) => Math.trunc(w * one + Math.sign(w) * 0.5)), precision };
});

/** Cubic convolution with a = -0.5; taps beyond the border are dropped and the others scaled to sum to 1. For to >= from. */
export const renormalisedTaps = remember((from: number, to: number): CubicTaps => {
  const taps = { indices: new Int32Array(4 * to), weights: new Float32Array(4 * to) };
  for (let o = 0; o < to; o++) {
    const centre = ((o + 0.5) * from) / to;
    const first = Math.max(Math.trunc(centre - 1.5), 0);
    const end = Math.min(Math.trunc(centre + 2.5), from);
    const weights = Array.from({ length: end - first }, (_, t) => cubic(first + t - centre + 0.5, -0.5));
    const sum = weights.reduce((a, b) => a + b, 0);
    taps.indices.fill(first, 4 * o, 4 * o + 4);
    for (const [t, weight] of weights.entries()) {
      taps.indices[4 * o + t] = first + t;
      taps.weights[4 * o + t] = weight / sum;
    }
  }
  return taps;
});

/** Where the outputs of one axis read the nearest input: floor(o * from / to), without half-pixel centres. */
export const nearestToCorner = remember(
  (from: number, to: number): Int32Array => Int32Array.from({ length: to }, (_, o) => Math.floor((o * from) / to)),
);

/** For each of `to` samples, the one of `from` samples under its centre. */
export const nearestToCentre = remember(
  (from: number, to: number): Int32Array =>
    Int32Array.from({ length: to }, (_, o) => Math.floor(((o + 0.5) * from) / to)),
);

function cubic(distance: number, a: number): number {
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/** cubic(x, -0.75) for x up to 1, and from 1 to 2, in float32. */
function inner(x: number): number {
  return round(round(round(round(round(1.25 * x) - 2.25) * x) * x) + 1);
}

function outer(x: number): number {
  return round(round(round(round(round(-0.75 * x) + 3.75) * x) - 6) * x) + 3;
}

function round(value: number): number {
  return Math.fround(value);
}

function clamp(index: number, length: number): number {
  return Math.min(Math.max(index, 0), length - 1);
}

/** Tables are small and asked for again with every slice; the few sizes of late are kept. */
function remember<T>(make: (from: number, to: number) => T): (from: number, to: number) => T {
  const made = new Map<number, T>();
  return (from, to) => {
    const key = from * 2 ** 26 + to;
    let table = made.get(key);
    if (table === undefined) {
      if (made.size >= 32) made.clear();
      table = make(from, to);
      made.set(key, table);
    }
    return table;
  };
}
