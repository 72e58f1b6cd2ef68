import { describe, expect, test } from "vitest";
import type { Vec3, VolumeGeometry } from "#converters/geometry/index.ts";
import {
  type BitVolume,
  connectedComponents,
  createBitVolume,
  fillPolygons,
  longestAxialDiameter,
  measure,
  outlinesOfSlice,
  packBits,
  splitBySize,
  unpackBits,
} from "#converters/mask/index.ts";

function maskOf(size: Vec3, voxels: readonly Vec3[]): BitVolume {
  const mask = createBitVolume(size);
  for (const [i, j, k] of voxels) {
    const n = (k * size[1] + j) * size[0] + i;
    mask.bits[n >> 3]! |= 1 << (n & 7);
  }
  return mask;
}

const geometry: VolumeGeometry = {
  size: [5, 4, 3],
  // 2 x 3 x 5 mm, i to the right, j to the front
  ijkToLps: [-2, 0, 0, 100, 0, -3, 0, 50, 0, 0, 5, -20, 0, 0, 0, 1],
  frameOfReferenceUid: "",
};

describe("components", () => {
  test("voxels that touch only by an edge or a corner are apart", () => {
    const mask = maskOf([5, 4, 3], [[0, 0, 0], [1, 1, 0], [2, 2, 1]]); // biome-ignore format: one line reads better
    expect(connectedComponents(mask)).toHaveLength(3);
  });

  test("pieces that meet later are one: the arms of a U across rows and slices", () => {
    const arms: Vec3[] = [[0, 0, 0], [4, 0, 0], [0, 1, 0], [4, 1, 0], [0, 1, 1], [4, 1, 1]]; // biome-ignore format: pairs
    const bridge: Vec3[] = [0, 1, 2, 3, 4].map((i) => [i, 2, 1]);
    const [piece, ...others] = connectedComponents(maskOf([5, 4, 3], [...arms, ...bridge]));
    expect(others).toEqual([]);
    expect(piece).toEqual({
      voxels: 11,
      boxIjk: { min: [0, 0, 0], max: [4, 2, 1] },
      centroidIjk: [2, (0 * 2 + 1 * 4 + 2 * 5) / 11, (4 * 0 + 7 * 1) / 11],
    });
  });

  test("the end of a row does not touch the start of the next, nor the last row of a slice the first of the next", () => {
    const apart: Vec3[] = [
      [3, 0, 0],
      [0, 1, 0],
      [2, 1, 0],
      [2, 0, 1],
    ];
    expect(connectedComponents(maskOf([4, 2, 2], apart)).map(({ voxels }) => voxels)).toEqual([1, 1, 1, 1]);
  });

  test("they come largest first, and an empty mask has none", () => {
    const mask = maskOf([5, 4, 3], [[0, 0, 0], [2, 0, 0], [3, 0, 0]]); // biome-ignore format: one line
    expect(connectedComponents(mask).map(({ voxels }) => voxels)).toEqual([2, 1]);
    expect(connectedComponents(createBitVolume([5, 4, 3]))).toEqual([]);
  });
});

describe("measures", () => {
  test("volume, slices and the box around the voxels' centres are in mL, numbers and LPS mm", () => {
    const mask = maskOf([5, 4, 3], [[1, 1, 0], [2, 1, 0], [4, 3, 2]]); // biome-ignore format: one line
    const found = measure(mask, geometry);
    expect(found).toEqual({
      voxels: 3,
      volumeMl: 0.09,
      slices: [0, 2],
      box: { min: [92, 41, -20], max: [98, 47, -10] },
      componentCount: 2,
      components: [
        {
          voxels: 2,
          volumeMl: 0.06,
          box: { min: [96, 47, -20], max: [98, 47, -20] },
          boxIjk: { min: [1, 1, 0], max: [2, 1, 0] },
          centroidLps: [97, 47, -20],
          longestAxialDiameter: { mm: 4, ends: [[99, 47, -20], [95, 47, -20]] }, // biome-ignore format: one line
        },
        {
          voxels: 1,
          volumeMl: 0.03,
          box: { min: [92, 41, -10], max: [92, 41, -10] },
          boxIjk: { min: [4, 3, 2], max: [4, 3, 2] },
          centroidLps: [92, 41, -10],
          longestAxialDiameter: { mm: 3, ends: [[92, 42.5, -10], [92, 39.5, -10]] }, // biome-ignore format: one line
        },
      ],
    });
  });

  test("of many pieces only the largest are listed, all are counted", () => {
    const mask = maskOf([5, 4, 3], [[0, 0, 0], [2, 0, 0], [4, 0, 0], [4, 1, 0]]); // biome-ignore format: one line
    const { componentCount, components } = measure(mask, geometry, { atMost: 1 });
    expect([componentCount, components.map(({ voxels }) => voxels)]).toEqual([3, [2]]);
  });

  test("each piece has its own diameter: no line runs from one to another", () => {
    const apart = maskOf([5, 4, 3], [[0, 0, 1], [0, 1, 1], [4, 0, 1]]); // biome-ignore format: one line
    const { components } = measure(apart, geometry);
    expect(components.map(({ longestAxialDiameter }) => longestAxialDiameter.mm)).toEqual([6, 3]);
    expect(longestAxialDiameter(apart, geometry)?.mm).toBeGreaterThan(8);
  });

  test("the mean of each piece is that of its own voxels, and what is no number is left out", () => {
    const mask = maskOf([5, 4, 3], [[0, 0, 0], [1, 0, 0], [2, 0, 0], [4, 3, 2]]); // biome-ignore format: one line
    const values = Float32Array.from({ length: 60 }, (_, n) => n);
    values[1] = Number.NaN;
    expect(measure(mask, geometry, { values }).components.map(({ meanValue }) => meanValue)).toEqual([1, 59]);
    values.fill(Number.NaN);
    expect(measure(mask, geometry, { values }).components.map(({ meanValue }) => meanValue)).toEqual([
      undefined,
      undefined,
    ]);
    expect(() => measure(mask, geometry, { values: values.subarray(1) })).toThrow("59 values");
  });

  test("an empty mask has no box", () => {
    expect(measure(createBitVolume([5, 4, 3]), geometry)).toEqual({
      voxels: 0,
      volumeMl: 0,
      slices: [],
      componentCount: 0,
      components: [],
    });
  });

  test("a mask of another size is refused", () => {
    expect(() => measure(createBitVolume([4, 5, 3]), geometry)).toThrow("mask of 4x5x3 on a grid of 5x4x3");
  });
});

describe("small pieces", () => {
  const mask = maskOf([5, 4, 3], [[0, 0, 0], [1, 0, 0], [1, 0, 1], [4, 3, 0], [3, 3, 0], [4, 0, 2]]); // biome-ignore format: one line

  test("are taken out, and those that are just large enough stay", () => {
    const { large, small, smallCount } = splitBySize(mask, 2);
    expect(smallCount).toBe(1);
    expect(large).toEqual(maskOf([5, 4, 3], [[0, 0, 0], [1, 0, 0], [1, 0, 1], [4, 3, 0], [3, 3, 0]])); // biome-ignore format: one line
    expect(small).toEqual(maskOf([5, 4, 3], [[4, 0, 2]]));
    expect(splitBySize(mask, 3).smallCount).toBe(2);
    expect(splitBySize(mask, 4).large).toEqual(createBitVolume([5, 4, 3]));
  });

  test("where there are none the mask stays as it is", () => {
    expect(splitBySize(mask, 1)).toEqual({ large: mask, small: createBitVolume([5, 4, 3]), smallCount: 0 });
  });
});

describe("outlines", () => {
  test("of a plate with forty thousand holes are one line, which encloses the plate again", () => {
    const side = 401;
    const mask = createBitVolume([side, side, 1]);
    for (let n = 0; n < side * side; n++) {
      const isHole = (n % side) % 2 === 1 && Math.floor(n / side) % 2 === 1;
      if (!isHole) mask.bits[n >> 3]! |= 1 << (n & 7);
    }
    const outlines = outlinesOfSlice(mask, 0);
    expect(outlines).toHaveLength(1);
    const filled = createBitVolume(mask.size);
    fillPolygons(filled, 0, outlines);
    expect(Buffer.compare(filled.bits, mask.bits)).toBe(0);
  });
});

describe("packed bits", () => {
  test("the first pixel is the lowest bit (PS3.5 section 8.1.1)", () => {
    const bits = new Uint8Array(2);
    packBits(Uint8Array.of(1, 0, 1, 1, 0, 0, 0, 0, 0, 1), bits);
    expect([...bits]).toEqual([0b00001101, 0b00000010]);
    expect([...unpackBits(bits, 2, 3)]).toEqual([1, 1, 0]);
  });

  test("any value but zero sets the bit", () => {
    const bits = new Uint8Array(1);
    packBits(Uint8Array.of(255, 2, 0, 128, 7, 0, 0, 64), bits);
    expect(bits[0]).toBe(0b10011011);
  });

  test("bits that are not there are refused", () => {
    expect(() => packBits(new Uint8Array(8), new Uint8Array(1), 1)).toThrow(RangeError);
    expect(() => unpackBits(new Uint8Array(1), 1, 8)).toThrow(RangeError);
  });
});
