import fc from "fast-check";
import { expect, test } from "vitest";
import {
  add,
  column,
  cross,
  determinant,
  dot,
  flipLpsRas,
  fromColumns,
  identity,
  invert,
  length,
  type Mat4,
  multiply,
  normalize,
  scale,
  subtract,
  transformPoint,
  type Vec3,
  voxelSizeMm,
} from "#converters/geometry/index.ts";

const mm = fc.double({ min: -500, max: 500, noNaN: true });
const direction = fc.double({ min: -3, max: 3, noNaN: true });
const point = fc.tuple(mm, mm, mm);
const vector = fc.tuple(direction, direction, direction);
const affine = fc
  .tuple(vector, vector, vector, point)
  .map(([i, j, k, origin]) => fromColumns(i, j, k, origin))
  .filter((m) => Math.abs(determinant(m)) > 0.01);

function expectClose(a: readonly number[], b: readonly number[], tolerance = 1e-6): void {
  for (const [n, value] of a.entries()) expect(Math.abs(value - b[n]!)).toBeLessThan(tolerance);
}

test("RAS negates x and y of every point, and nothing else", () => {
  fc.assert(
    fc.property(affine, point, (m, p) => {
      const [x, y, z] = transformPoint(m, p);
      expectClose(transformPoint(flipLpsRas(m), p), [-x, -y, z]);
      expect(flipLpsRas(flipLpsRas(m))).toEqual(m);
    }),
  );
});

test("multiplying is doing one after the other", () => {
  fc.assert(
    fc.property(affine, affine, point, (a, b, p) => {
      expectClose(transformPoint(multiply(a, b), p), transformPoint(a, transformPoint(b, p)));
    }),
  );
});

test("the inverse leads back, and inverting twice changes nothing", () => {
  fc.assert(
    fc.property(affine, point, (m, p) => {
      expectClose(transformPoint(invert(m), transformPoint(m, p)), p, 1e-4);
      expectClose(multiply(m, invert(m)), identity, 1e-6);
    }),
  );
});

test("the determinant is the voxel's volume: the box product of its edges", () => {
  fc.assert(
    fc.property(affine, (m) => {
      const [i, j, k] = [column(m, 0), column(m, 1), column(m, 2)];
      expect(determinant(m)).toBeCloseTo(dot(i, cross(j, k)), 9);
      expect(determinant(invert(m)) * determinant(m)).toBeCloseTo(1, 6);
    }),
  );
});

test("voxel (0, 0, 0) lies at the last column, and one step along an axis is that axis's column", () => {
  fc.assert(
    fc.property(affine, (m) => {
      const origin = transformPoint(m, [0, 0, 0]);
      expectClose(origin, column(m, 3), 1e-12);
      for (const [axis, step] of (
        [
          [1, 0, 0],
          [0, 1, 0],
          [0, 0, 1],
        ] as Vec3[]
      ).entries()) {
        // biome-ignore format: rows
        const moved = subtract(transformPoint(m, step), origin);
        expectClose(moved, column(m, axis as 0));
        expect(length(moved)).toBeCloseTo(voxelSizeMm(m)[axis]!, 6);
      }
    }),
  );
});

test("a flat affine cannot be inverted", () => {
  const flat: Mat4 = [1, 2, 0, 0, 2, 4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  expect(() => invert(flat)).toThrow(RangeError);
});

test("the cross product is at right angles to both, as long as their parallelogram is large", () => {
  fc.assert(
    fc.property(vector, vector, (a, b) => {
      const c = cross(a, b);
      expect(dot(a, c)).toBeCloseTo(0, 9);
      expect(dot(b, c)).toBeCloseTo(0, 9);
      expect(dot(c, c) + dot(a, b) ** 2).toBeCloseTo(dot(a, a) * dot(b, b), 6);
    }),
  );
});

test("a direction has length 1 and points the same way", () => {
  fc.assert(
    fc.property(vector, (a) => {
      fc.pre(length(a) > 1e-6);
      expect(length(normalize(a))).toBeCloseTo(1, 12);
      expectClose(scale(normalize(a), length(a)), a);
      expectClose(add(a, scale(a, -1)), [0, 0, 0]);
    }),
  );
});
