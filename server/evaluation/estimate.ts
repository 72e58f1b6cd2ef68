/** A mean with the interval in which the true one lies with 95 %; without where a single value tells nothing of spread. */
export interface Estimate {
  readonly count: number;
  readonly mean: number;
  readonly interval?: { readonly low: number; readonly high: number; readonly method: "t" | "bootstrap" };
}

/** From so many values on their own scatter stands for that of others; below, the bootstrap's intervals are too narrow. */
const ENOUGH_FOR_BOOTSTRAP = 30;
const DRAWS = 10_000;

/** Student's t at 97.5 % for 1 to 28 degrees of freedom. */
const T = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048,
] as const;

/**
 * Below 30 values Student's t-interval, from 30 on the percentiles of a bootstrap with a fixed seed: the same values give
 * the same interval.
 * @param values finite
 * @param limits beyond which no value can lie: an interval ends there
 * @returns undefined of no values
 */
export function estimate(
  values: readonly number[],
  limits: readonly [number, number] = [-Infinity, Infinity],
): Estimate | undefined {
  const count = values.length;
  if (count === 0) return undefined;
  const mean = meanOf(values);
  if (count === 1) return { count, mean };
  const method = count < ENOUGH_FOR_BOOTSTRAP ? "t" : "bootstrap";
  const [low, high] = method === "t" ? studentInterval(values, mean) : bootstrapInterval(values);
  return { count, mean, interval: { low: Math.max(limits[0], low), high: Math.min(limits[1], high), method } };
}

function studentInterval(values: readonly number[], mean: number): readonly [number, number] {
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  const half = T[values.length - 2]! * Math.sqrt(variance / values.length);
  return [mean - half, mean + half];
}

function bootstrapInterval(values: readonly number[]): readonly [number, number] {
  const random = seeded(20_181_130);
  const means = Float64Array.from({ length: DRAWS }, () => {
    let sum = 0;
    for (let n = 0; n < values.length; n++) sum += values[Math.floor(random() * values.length)]!;
    return sum / values.length;
  }).sort();
  return [means[Math.floor(0.025 * DRAWS)]!, means[Math.ceil(0.975 * DRAWS) - 1]!];
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A share with Wilson's 95 % interval. */
export interface Share {
  readonly of: number;
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/** @returns undefined of nothing */
export function shareOf(count: number, of: number): Share | undefined {
  if (of === 0) return undefined;
  const z2 = 1.959964 ** 2;
  const share = count / of;
  const middle = (share + z2 / (2 * of)) / (1 + z2 / of);
  const half = Math.sqrt((z2 * share * (1 - share)) / of + z2 ** 2 / (4 * of ** 2)) / (1 + z2 / of);
  return { of, share, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}
