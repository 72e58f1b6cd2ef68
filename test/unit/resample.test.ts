import { describe, expect, test } from "vitest";
import {
  fromColumns,
  identity,
  orientationOf,
  reorient,
  resampleNearest,
  resampleTrilinear,
  sameGrid,
  type Vec3,
  type Volume,
  type VolumeGeometry,
  type Voxels,
} from "#converters/geometry/index.ts";

function grid(size: Vec3, ijkToLps = identity, frameOfReferenceUid = ""): VolumeGeometry {
  return { size, ijkToLps, frameOfReferenceUid };
}

function volumeOn<T extends Voxels>(geometry: VolumeGeometry, voxels: T): Volume<T> {
  return { geometry, voxels, unit: "HU", modality: "CT", sources: [] };
}

const row = grid([4, 1, 1]);
const points = (first: number, step: number, count: number) =>
  grid([count, 1, 1], fromColumns([step, 0, 0], [0, 1, 0], [0, 0, 1], [first, 0, 0]));

describe("resampling", () => {
  test("half way between two voxels lies their mean", () => {
    const volume = volumeOn(row, Int16Array.of(0, 10, -20, 30));
    expect([...resampleTrilinear(volume, points(0, 0.5, 7), -1000)]).toEqual([0, 5, 10, -5, -20, 5, 30]);
  });

  test("the border voxel holds for half a voxel outwards, then comes the outside value", () => {
    const volume = volumeOn(row, Int16Array.of(7, 10, 20, 30));
    expect([...resampleTrilinear(volume, points(-1, 0.25, 5), -1000)]).toEqual([-1000, -1000, 7, 7, 7]);
    expect([...resampleTrilinear(volume, points(3, 0.25, 5), -1000)]).toEqual([30, 30, 30, -1000, -1000]);
    expect([...resampleNearest(Int16Array.of(7, 10, 20, 30), row, points(-1, 0.25, 5))]).toEqual([0, 0, 7, 7, 7]);
  });

  test("a point half way between two labels takes the later one, everywhere alike", () => {
    const labels = Uint8Array.from({ length: 1000 }, (_, n) => n % 251);
    const fine = grid([1000, 1, 1], fromColumns([0.7, 0, 0], [0, 1, 0], [0, 0, 1], [-312.3, 0, 0]));
    const between = { ...fine, ijkToLps: fromColumns([0.7, 0, 0], [0, 1, 0], [0, 0, 1], [-312.3 + 0.35, 0, 0]) };
    const found = resampleNearest(labels, fine, between);
    expect(found.subarray(0, 999)).toEqual(labels.subarray(1));
  });

  test("every kind of voxel keeps its kind under nearest neighbour, and its value", () => {
    const shifted = points(1, 1, 2);
    for (const kind of [Int8Array, Int16Array, Int32Array, Float32Array, Float64Array] as const) {
      const voxels = kind.from([1, -2, 3, 4]);
      expect(resampleNearest<Voxels>(voxels, row, shifted)).toEqual(kind.from([-2, 3]));
      expect([...resampleTrilinear(volumeOn<Voxels>(row, voxels), shifted, 0)]).toEqual([-2, 3]);
    }
  });

  test("a grid that cannot be inverted is refused", () => {
    const flat = grid([4, 1, 1], fromColumns([1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0]));
    expect(() => resampleTrilinear(volumeOn(flat, new Uint8Array(4)), row, 0)).toThrow(RangeError);
  });
});

describe("equal grids", () => {
  test("the farthest corner decides, not the origin", () => {
    const a = grid([101, 1, 1]);
    const b = grid([101, 1, 1], fromColumns([1.0001, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]));
    expect(sameGrid(a, b, 0.011)).toBe(true);
    expect(sameGrid(a, b, 0.009)).toBe(false);
  });

  test("another size or another frame of reference is another grid", () => {
    expect(sameGrid(grid([2, 2, 2]), grid([2, 2, 3]), 1)).toBe(false);
    expect(sameGrid(grid([2, 2, 2], identity, "1.2"), grid([2, 2, 2], identity, "1.3"), 1)).toBe(false);
    expect(sameGrid(grid([2, 2, 2], identity, "1.2"), grid([2, 2, 2]), 1)).toBe(true);
  });
});

describe("orientation", () => {
  test("DICOM's own axes are LPS", () => {
    expect(orientationOf(row)).toBe("LPS");
  });

  test("an axial CT turned to RAS has i and j reversed and the same places in the patient", () => {
    const volume = volumeOn(grid([2, 2, 2]), Int16Array.of(0, 1, 10, 11, 100, 101, 110, 111));
    const turned = reorient(volume, "RAS");
    expect([...turned.voxels]).toEqual([11, 10, 1, 0, 111, 110, 101, 100]);
    expect(turned.geometry.ijkToLps.map((value) => value + 0)).toEqual([
      -1, 0, 0, 1, 0, -1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1,
    ]);
  });

  test("a volume that lies as asked is not copied", () => {
    const volume = volumeOn(grid([2, 1, 1]), Int16Array.of(0, 1));
    expect(reorient(volume, "lps")).toBe(volume);
  });

  test.each(["", "LP", "LPSI", "LRS", "LPX", "LLS"])("%j is not an orientation", (code) => {
    expect(() => reorient(volumeOn(row, new Uint8Array(4)), code)).toThrow(RangeError);
  });
});
