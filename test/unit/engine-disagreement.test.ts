import { expect, test } from "vitest";
import { Disagreement } from "../../server/engines/child/disagreement.ts";

const cut = { mask: 0, existence: 0 };
/** A draw of one slice, one prompt: where it is above zero. */
const draw = (pixels: readonly number[], existence = 1) => ({
  masks: Float32Array.from(pixels, (pixel) => pixel - 0.5),
  existence: Float32Array.of(existence),
});

function of(...draws: ReturnType<typeof draw>[]): number {
  const disagreement = new Disagreement(1, draws.length, cut);
  disagreement.take(draws, 1);
  return disagreement.result()[0]!;
}

test("draws that are alike disagree by 0, those with nothing in common by 1", () => {
  expect(of(draw([1, 1, 0, 0]), draw([1, 1, 0, 0]))).toBe(0);
  expect(of(draw([1, 1, 0, 0]), draw([0, 0, 1, 1]))).toBe(1);
  expect(of(draw([0, 0, 0, 0]), draw([0, 0, 0, 0]))).toBe(0);
  expect(of(draw([1, 1, 0, 0]), draw([0, 0, 0, 0]))).toBe(1);
});

test("it is 1 less the mean Dice of all pairs", () => {
  const dice = [(2 * 1) / 3, 0, 0];
  const mean = dice.reduce((sum, one) => sum + one, 0) / 3;
  expect(of(draw([1, 1, 0, 0]), draw([1, 0, 0, 0]), draw([0, 0, 0, 1]))).toBeCloseTo(1 - mean, 12);
});

test("a draw that says that nothing is in a slice has no mask there", () => {
  expect(of(draw([1, 1, 0, 0], -1), draw([0, 0, 0, 0]))).toBe(0);
  expect(of(draw([1, 1, 0, 0], -1), draw([1, 1, 0, 0]))).toBe(1);
});

test("overlap is counted over the whole volume, each prompt by itself", () => {
  const disagreement = new Disagreement(2, 2, cut);
  const slice = (first: readonly number[], second: readonly number[]) => ({
    masks: Float32Array.from([...first, ...second], (pixel) => pixel - 0.5),
    existence: Float32Array.of(1, 1),
  });
  disagreement.take([slice([1, 1], [1, 0]), slice([1, 1], [0, 1])], 1);
  disagreement.take([slice([1, 0], [0, 0]), slice([0, 0], [0, 0])], 1);
  expect(disagreement.result()).toEqual([1 - (2 * 2) / 5, 1]);
});
