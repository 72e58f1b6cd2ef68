import { describe, expect, test } from "vitest";
import { fromColumns, type Vec3, type VolumeGeometry } from "#converters/geometry/index.ts";
import { createBitVolume, longestAxialDiameter } from "#converters/mask/index.ts";
import { ellipsoid, geometryOf } from "../fixtures/seg-cases.ts";

function maskOf(size: Vec3, voxels: readonly Vec3[]) {
  const mask = createBitVolume(size);
  for (const [i, j, k] of voxels) {
    const n = (k * size[1] + j) * size[0] + i;
    mask.bits[n >>> 3]! |= 1 << (n & 7);
  }
  return mask;
}

const size: Vec3 = [9, 9, 3];
const grid: VolumeGeometry = {
  size,
  ijkToLps: fromColumns([2, 0, 0], [0, 3, 0], [0, 0, 5], [10, 20, 30]),
  frameOfReferenceUid: "2.25.1",
};

describe("the longest axial diameter", () => {
  test("of a row of voxels is as long as the row", () => {
    const row = maskOf(
      size,
      [2, 3, 4, 5].map((i): Vec3 => [i, 4, 1]),
    );
    expect(longestAxialDiameter(row, grid)).toEqual({
      mm: 8,
      ends: [
        [13, 32, 35],
        [21, 32, 35],
      ],
    });
  });

  test("of one voxel is its longer side", () => {
    expect(longestAxialDiameter(maskOf(size, [[4, 4, 0]]), grid)?.mm).toBe(3);
  });

  test("joins pieces of one plane, and not of several", () => {
    const apart = maskOf(size, [
      [0, 4, 0],
      [8, 4, 0],
    ]);
    expect(longestAxialDiameter(apart, grid)?.mm).toBe(18);
    const stacked = maskOf(size, [
      [0, 4, 0],
      [8, 4, 1],
    ]);
    expect(longestAxialDiameter(stacked, grid)?.mm).toBe(3);
  });

  test("is the same whichever way the grid's axes run", () => {
    const lying = geometryOf("axial", [8, 8, 8]);
    const ball = ellipsoid([8, 8, 8], [0.5, 0.5, 0.5], 0.4);
    const across = longestAxialDiameter(ball, lying)!.mm;
    for (const kind of ["leftHanded", "ras"] as const) {
      expect(longestAxialDiameter(ball, geometryOf(kind, [8, 8, 8]))!.mm).toBeCloseTo(across, 9);
    }
  });

  test("lies in the axial plane also where slices are sagittal or coronal", () => {
    for (const kind of ["sagittal", "coronal"] as const) {
      const cube = ellipsoid([6, 6, 6], [0.5, 0.5, 0.5], 2);
      const { ends } = longestAxialDiameter(cube, geometryOf(kind, [6, 6, 6]))!;
      expect(ends[0][2]).toBeCloseTo(ends[1][2], 9);
    }
  });

  test("of a disc of 20 voxels from its centre to its last is between 40 and 41 voxels", () => {
    const round: Vec3 = [48, 48, 1];
    const disc = maskOf(
      round,
      Array.from({ length: 48 * 48 }, (_, n): Vec3 => [n % 48, Math.floor(n / 48), 0]).filter(
        ([i, j]) => Math.hypot(i - 23.5, j - 23.5) <= 20,
      ),
    );
    const isotropic = { ...grid, size: round, ijkToLps: fromColumns([1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]) };
    const { mm } = longestAxialDiameter(disc, isotropic)!;
    expect(mm).toBeGreaterThanOrEqual(40);
    expect(mm).toBeLessThanOrEqual(41);
  });

  test("of nothing is none", () => {
    expect(longestAxialDiameter(createBitVolume(size), grid)).toBeUndefined();
  });
});
