import { describe, expect, test } from "vitest";
import type { Vec3 } from "#converters/geometry/index.ts";
import { agreement, hausdorffMm, squaredDistances, surfaceDice, surfaceDistances } from "#converters/mask/index.ts";
import { AGREEMENT_CASES, ball, bitsOf, box, gridOf } from "../fixtures/agreement-cases.ts";

/** As PyPI's surface-distance 0.1 computed them; test/golden/surface-distance computes them again where Python is. */
const EXPECTED: Readonly<Record<string, readonly [dice: unknown, surfaceDice: unknown, hd95Mm: unknown]>> = {
  "a cube and itself shifted by two voxels along i": [0.7142857142857143, 0.74004014238916, 2],
  "balls of uneven voxels": [0.6571428571428571, 0.7060825619403134, 3.1780497164141406],
  "noise of uneven voxels": [0.05442875481386393, 0.36763611972534826, 3.3421549934136805],
  "sparse noise": [0, 0.2530851253299872, 7.08590149522275],
  "a slab at the volume's edge, and one voxel in the opposite corner": [0, 0, 48.88885353534075],
  "the whole volume, and a line through it": [0.006172839506172839, 0.04647161583643333, 11.40175425099138],
  "no prediction": [0, 0, Number.POSITIVE_INFINITY],
  "no reference": [0, 0, Number.POSITIVE_INFINITY],
  neither: [undefined, undefined, undefined],
};

describe("Dice, surface Dice and HD95 are those of surface-distance", () => {
  test.each(AGREEMENT_CASES)("$name", ({ name, size, spacingMm, toleranceMm, reference, prediction }) => {
    const found = agreement(bitsOf(size, reference), bitsOf(size, prediction), gridOf(size, spacingMm), toleranceMm);
    const [dice, surface, hd95] = EXPECTED[name]!;
    for (const [value, expected] of [
      [found.dice, dice],
      [found.surfaceDice, surface],
      [found.hd95Mm, hd95],
    ] as const) {
      if (typeof expected === "number" && Number.isFinite(expected)) expect(value).toBeCloseTo(expected, 9);
      else expect(value).toBe(expected);
    }
  });
});

describe("volumes", () => {
  const size: Vec3 = [10, 10, 10];
  const spacing: Vec3 = [2, 3, 5];
  const of = (reference: Uint8Array, prediction: Uint8Array) =>
    agreement(bitsOf(size, reference), bitsOf(size, prediction), gridOf(size, spacing), 1);

  test("are in mL, the error is the prediction's surplus, in mL and in percent of the reference", () => {
    const [eight, ten] = [box(size, [1, 1, 1], [3, 3, 3]), box(size, [1, 1, 1], [6, 3, 2])];
    expect(of(eight, ten)).toMatchObject({ referenceMl: 0.24, predictionMl: 0.3, volumeErrorPercent: 25 });
    expect(of(eight, ten).volumeErrorMl).toBeCloseTo(0.06, 12);
    expect(of(ten, eight).volumeErrorPercent).toBeCloseTo(-20, 12);
  });

  test("have no percent of an empty reference", () => {
    const nothing = new Uint8Array(1000);
    expect(of(nothing, box(size, [0, 0, 0], [1, 1, 1]))).toMatchObject({ volumeErrorPercent: undefined, dice: 0 });
    expect(of(nothing, nothing)).toMatchObject({ volumeErrorMl: 0, volumeErrorPercent: undefined });
  });

  test("masks of other sizes than the grid's are refused", () => {
    const mask = bitsOf(size, box(size, [0, 0, 0], [1, 1, 1]));
    expect(() => agreement(mask, mask, gridOf([10, 10, 9], spacing), 1)).toThrow(RangeError);
  });
});

describe("the surface", () => {
  const size: Vec3 = [40, 40, 40];

  test("of a ball has about a ball's area, whatever the voxels' sides", () => {
    for (const spacing of [
      [1, 1, 1],
      [0.6, 1, 0.8],
    ] as const) {
      const mask = bitsOf(size, ball(size, spacing, [11.5, 19, 15], 10));
      const [{ areasMm2 }] = surfaceDistances(mask, mask, spacing);
      expect(Math.abs(areasMm2.reduce((sum, area) => sum + area, 0) / (4 * Math.PI * 10 ** 2) - 1)).toBeLessThan(0.1);
    }
  });

  test("of a shifted cube lies as far away as the shift, in mm along its axis", () => {
    const cube = (shift: Vec3) =>
      bitsOf(
        size,
        box(size, [9 + shift[0], 9 + shift[1], 9 + shift[2]], [25 + shift[0], 25 + shift[1], 25 + shift[2]]),
      );
    for (const [shift, mm] of [
      [[3, 0, 0], 6],
      [[0, 3, 0], 1.5],
      [[0, 0, 3], 3],
    ] as const) {
      const distances = surfaceDistances(cube([0, 0, 0]), cube(shift), [2, 0.5, 1]);
      expect(hausdorffMm(distances, 100)).toBeCloseTo(mm, 12);
      expect(surfaceDice(distances, mm)).toBe(1);
      expect(surfaceDice(distances, mm * 0.99)).toBeLessThan(1);
    }
  });
});

test("the distance transform is exact where nothing, or a single point, is marked", () => {
  const size: Vec3 = [4, 3, 2];
  const marked = new Uint8Array(24);
  expect(new Set(squaredDistances(marked, size, [1, 1, 1]))).toEqual(new Set([Number.POSITIVE_INFINITY]));
  marked[0] = 1;
  expect(squaredDistances(marked, size, [1, 10, 100])[23]).toBe(3 ** 2 + 20 ** 2 + 100 ** 2);
});
