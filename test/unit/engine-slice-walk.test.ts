import fc from "fast-check";
import { expect, test } from "vitest";
import { walkSlices } from "../../server/engines/child/slice-walk.ts";

const walk = (planes: number, most: number, from?: number) =>
  walkSlices(planes, most, from).map(({ first, count }) => Array.from({ length: count }, (_, n) => first + n));

test("a walk meets each slice once, never more than a batch at a time", () => {
  const cases = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 9 }), fc.option(fc.nat(80)));
  fc.assert(
    fc.property(cases, ([planes, most, from]) => {
      const batches = walk(planes, most, from ?? undefined);
      expect(batches.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: planes }, (_, n) => n));
      for (const batch of batches) expect(batch.length).toBeLessThanOrEqual(most);
    }),
  );
});

test("from a slice on, its neighbours come in turn, and then what is left on one side", () => {
  expect(walk(7, 1, 2)).toEqual([[2], [3], [1], [4], [0], [5], [6]]);
  expect(walk(8, 3, 4)).toEqual([
    [3, 4, 5],
    [6, 7],
    [0, 1, 2],
  ]);
  expect(walk(4, 1, 99)).toEqual([[3], [2], [1], [0]]);
});

test("in order where no slice is named", () => {
  expect(walk(5, 2)).toEqual([[0, 1], [2, 3], [4]]);
});
