import { InvalidRequestError } from "./errors.ts";

/** Lengths of runs outside and inside in turn; the first is outside, and may be 0. */
export function runsOf(mask: Uint8Array): number[] {
  const runs: number[] = [];
  let inside = 0;
  let length = 0;
  for (let p = 0; p < mask.length; p++) {
    const value = mask[p] ? 1 : 0;
    if (value !== inside) {
      runs.push(length);
      inside = value;
      length = 0;
    }
    length++;
  }
  runs.push(length);
  return runs;
}

/**
 * The same, as 0 and 1 for each pixel.
 * @throws InvalidRequestError where the runs are not as long as the slice
 */
export function maskOfRuns(runs: readonly number[], pixels: number): Uint8Array {
  const mask = new Uint8Array(pixels);
  let at = 0;
  for (const [n, length] of runs.entries()) {
    if (n % 2 === 1) mask.fill(1, at, at + length);
    at += length;
  }
  if (at !== pixels) {
    throw new InvalidRequestError(`The runs of a slice cover ${at} pixels, and it has ${pixels}: send them for all.`);
  }
  return mask;
}
