import fc from "fast-check";
import { expect, test } from "vitest";
import {
  fromColumns,
  resampleNearest,
  transformPoint,
  type Vec3,
  type VolumeGeometry,
} from "#converters/geometry/index.ts";
import {
  boxAbove,
  boxSize,
  conformedGrid,
  cutBox,
  placeBox,
  takeBack,
} from "../../server/engines/child/conformed-grid.ts";

const conform = { orientation: "LIA", spacingMm: [1, 1, 1], size: [24, 24, 24] } as const;

test("i of an LIA grid runs to the left, j to the feet, k to the front; index size / 2 is the volume's", () => {
  const volume = { size: [10, 12, 14] as Vec3, ijkToLps: fromColumns([2, 0, 0], [0, 2, 0], [0, 0, 2], [-7, 30, 100]) };
  const { ijkToLps } = conformedGrid(volume, conform);
  expect(transformPoint(ijkToLps, [12, 12, 12])).toEqual(transformPoint(volume.ijkToLps, [5, 6, 7]));
  const [x, y, z] = transformPoint(ijkToLps, [12, 12, 12]);
  expect(transformPoint(ijkToLps, [13, 12, 12])).toEqual([x + 1, y, z]);
  expect(transformPoint(ijkToLps, [12, 13, 12])).toEqual([x, y, z - 1]);
  expect(transformPoint(ijkToLps, [12, 12, 13])).toEqual([x, y - 1, z]);
});

test("labels that are conformed and taken back come out as they were, on grids of odd and even size alike", () => {
  const side = fc.integer({ min: 3, max: 20 });
  const sign = fc.constantFrom(1, -1);
  fc.assert(
    fc.property(fc.tuple(side, side, side), fc.tuple(sign, sign, sign), fc.integer(), (size, [a, b, c], seed) => {
      const volume: VolumeGeometry = {
        size,
        ijkToLps: fromColumns([a, 0, 0], [0, 0, b], [0, c, 0], [-3, 40.25, 7]),
        frameOfReferenceUid: "",
      };
      const labels = Uint8Array.from({ length: size[0] * size[1] * size[2] }, (_, n) => 1 + (((n ^ seed) >>> 1) % 5));
      const grid = conformedGrid(volume, conform);
      expect(takeBack(resampleNearest(labels, volume, grid), grid, volume)).toEqual(labels);
    }),
  );
});

test("a box holds every value above the threshold, its margin ends at the grid, and cutting it out and putting it back keeps them", () => {
  const size: Vec3 = [6, 5, 4];
  const values = new Float32Array(120);
  const at = (i: number, j: number, k: number) => (k * 5 + j) * 6 + i;
  values[at(1, 2, 3)] = 0.9;
  values[at(4, 2, 2)] = 0.3;
  expect(boxAbove(values, size, 0.2, 0)).toEqual({ start: [1, 2, 2], end: [5, 3, 4] });
  const box = boxAbove(values, size, 0.2, 1)!;
  expect(box).toEqual({ start: [0, 1, 1], end: [6, 4, 4] });
  const cut = cutBox(values, size, box);
  expect(cut.length).toBe(boxSize(box).reduce((product, side) => product * side));
  const labels = placeBox(
    Uint8Array.from(cut, (value) => Number(value > 0)),
    size,
    box,
  );
  expect([...labels.keys()].filter((n) => labels[n])).toEqual([at(4, 2, 2), at(1, 2, 3)]);
  expect(boxAbove(values, size, 1, 0)).toBeUndefined();
});
