import fc from "fast-check";
import { expect, test } from "vitest";
import { sliceOutput } from "#converters/pixels/index.ts";
import { renormalisedTaps } from "../../converters/pixels/cubic-taps.ts";
import { logitAbove, probabilityOf } from "../../converters/pixels/suppress.ts";

/*
 * What is left out because no pixel of it can be above a threshold, and what is compared without the exponential, changes
 * nothing: the same by the definitions, pixel by pixel.
 */

const { fround } = Math;

/** Upsampled as bicubic.ts says, in float32. */
function upsampled(plane: Float32Array, side: number, to: number): Float32Array {
  const { indices, weights } = renormalisedTaps(side, to);
  const sum = (t: number, value: (index: number) => number) => {
    const product = (n: number) => fround(weights[t + n]! * value(indices[t + n]!));
    return fround(fround(fround(product(0) + product(1)) + product(2)) + product(3));
  };
  const rows = new Float32Array(side * to);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < to; x++) rows[y * to + x] = sum(4 * x, (c) => plane[y * side + c]!);
  const picture = new Float32Array(to * to);
  for (let y = 0; y < to; y++) for (let x = 0; x < to; x++) picture[y * to + x] = sum(4 * y, (r) => rows[r * to + x]!);
  return picture;
}

/** Upstream's merge: suppression across prompts, then the most probable of those that are left, the first of equal ones. */
function exclusive(pictures: readonly Float32Array[], existence: readonly number[], cut: number): Uint8Array[] {
  const above = pictures.map((picture) => Uint8Array.from(picture, (logit) => (logit > cut ? 1 : 0)));
  const count = (pixels: Uint8Array) => pixels.reduce((sum, one) => sum + one, 0);
  const order = [...pictures.keys()]
    .filter((p) => existence[p]! >= 0.5 && count(above[p]!) > 0)
    .sort((a, b) => existence[b]! - existence[a]!);
  const kept: number[] = [];
  for (const p of order) {
    const isFree = kept.every((other) => {
      const both = count(above[p]!.map((one, n) => one & above[other]![n]!));
      return both / (count(above[p]!) + count(above[other]!) - both) <= 0.5;
    });
    if (isFree) kept.push(p);
  }
  kept.sort((a, b) => a - b);
  return pictures.map((_, p) =>
    above[p]!.map((one, n) => {
      if (one === 0 || !kept.includes(p)) return 0;
      const own = probabilityOf(pictures[p]![n]!);
      return kept.every((other) => {
        if (other === p || above[other]![n] === 0) return true;
        const theirs = probabilityOf(pictures[other]![n]!);
        return own > theirs || (own === theirs && p < other);
      })
        ? 1
        : 0;
    }),
  );
}

/** Balls in noise, as large logits as are asked for: beyond 17 probabilities are all 1, so that many are equal. */
function ballsIn(side: number, prompts: number, seed: number, scale: number, roughness: number): Float32Array {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
  const planes = Array.from({ length: prompts }, () => {
    const [i, j, radius] = [random() * side, random() * side, (random() * side) / 2];
    return Array.from({ length: side * side }, (_, n) => {
      const inside = radius - Math.hypot((n % side) - i, Math.floor(n / side) - j);
      return scale * (inside / side + roughness * (random() - 0.5));
    });
  });
  return Float32Array.from(planes.flat());
}

const slices = fc.record({
  side: fc.constantFrom(4, 5, 8, 12, 16, 19),
  enlarged: fc.constantFrom(1, 2, 4, 4.25),
  prompts: fc.integer({ min: 1, max: 4 }),
  seed: fc.integer(),
  scale: fc.constantFrom(1e-6, 1e-3, 1, 30, 300, 1e30),
  roughness: fc.constantFrom(0, 0.2, 2),
  mask: fc.constantFrom(0, 1e-30, 0.05, 0.5, 0.9),
  existence: fc.array(fc.constantFrom(-3, 0, 0.5, 4), { minLength: 4, maxLength: 4 }),
  twins: fc.boolean(),
  belowCut: fc.boolean(),
});

test("masks, merged or not, and grey levels are what their definitions say, to the bit", () => {
  fc.assert(
    fc.property(slices, ({ side, enlarged, prompts, seed, scale, roughness, mask, existence, twins, belowCut }) => {
      const to = Math.floor(side * enlarged);
      const cut = logitAbove(mask);
      const balls = ballsIn(side, prompts, seed, scale, roughness);
      // A cubic goes beyond what it goes through: it is above the cut where no logit is.
      const logits = belowCut && Number.isFinite(cut) ? balls.map((logit) => Math.min(logit, cut)) : balls;
      // Of two that are alike the first one has every pixel, where neither suppresses the other.
      if (twins && prompts > 1) logits.copyWithin(side * side, 0, side * side);
      const pictures = Array.from({ length: prompts }, (_, p) =>
        upsampled(logits.subarray(p * side * side, (p + 1) * side * side), side, to),
      );
      const scores = existence.slice(0, prompts).map(probabilityOf);
      const answer = (merge: "exclusive" | "overlapping") =>
        sliceOutput({
          plane: [to, to],
          imageSize: to,
          logitSize: side,
          nearest: "centre",
          prompts,
          merge,
          thresholds: { mask, existence: 0.5, nmsIou: 0.5 },
          probabilities: true,
        })(logits, Float32Array.from(existence.slice(0, prompts)));
      const none = new Uint8Array(to * to);
      for (const [p, { mask: own, probability }] of answer("overlapping").entries()) {
        const wanted = scores[p]! > 0.5 ? Uint8Array.from(pictures[p]!, (logit) => (logit > cut ? 1 : 0)) : none;
        expect(own ?? none).toEqual(wanted);
        expect(probability).toEqual(Uint8Array.from(pictures[p]!, (logit) => Math.round(255 * probabilityOf(logit))));
      }
      if (prompts === 1) return;
      const merged = answer("exclusive").map(({ mask: own }) => own ?? none);
      expect(merged).toEqual(exclusive(pictures, scores, cut));
    }),
    { numRuns: 300 },
  );
});
