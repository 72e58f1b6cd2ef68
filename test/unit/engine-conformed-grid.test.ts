import fc from "fast-check";
import { expect, test } from "vitest";
import { fromColumns, invert, transformPoint, type Vec3, type VolumeGeometry } from "#converters/geometry/index.ts";
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

test("a voxel takes a label at most half a step away, and the same one in whatever order its image is stored", () => {
  const side = fc.integer({ min: 3, max: 20 });
  const order = fc.constantFrom<readonly [number, number, number]>(
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [2, 1, 0],
    [1, 2, 0],
  );
  const flips = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean());
  fc.assert(
    fc.property(fc.tuple(side, side, side), order, flips, (size, axes, flipped) => {
      const plain = volumeOf(size, [0, 1, 2], [false, false, false]);
      const stored = volumeOf(size, axes, flipped);
      const [plainLabels, storedLabels] = [plain, stored].map((volume) => takeBack(...labelsByPlace(volume), volume));
      for (const [lps, n] of voxels(stored)) {
        const [label, same] = [storedLabels![n]!, plainLabels![indexAt(plain, lps)]!];
        expect(label).toBe(same);
        expect(label).toBeGreaterThan(0);
      }
    }),
    { numRuns: 30 },
  );
});

/** The same 1 mm voxels of the patient, their axes stored in another order and from the other end. */
function volumeOf(size: Vec3, axes: readonly number[], flipped: readonly boolean[]): VolumeGeometry {
  const first: Vec3 = [-3, 40.25, 7];
  const direction = (axis: number): Vec3 => [0, 1, 2].map((c) => (c === axis ? (flipped[axis] ? -1 : 1) : 0)) as never;
  const origin = first.map((at, c) => (flipped[c] ? at + size[c]! - 1 : at)) as never as Vec3;
  const [i, j, k] = axes as readonly [number, number, number];
  return {
    size: [size[i]!, size[j]!, size[k]!],
    ijkToLps: fromColumns(direction(i), direction(j), direction(k), origin),
    frameOfReferenceUid: "",
  };
}

/** Labels of a conformed grid that follow from where a point lies, and nothing else. */
function labelsByPlace(volume: VolumeGeometry): [Uint8Array, VolumeGeometry] {
  const grid = conformedGrid(volume, conform);
  const labels = new Uint8Array(24 ** 3);
  for (const [[x, y, z], n] of voxels(grid))
    labels[n] = 1 + (Math.abs(Math.round(x * 4) + 7 * Math.round(y * 4) + 31 * Math.round(z * 4)) % 250);
  return [labels, grid];
}

function* voxels({ size, ijkToLps }: VolumeGeometry): Generator<[Vec3, number]> {
  for (let k = 0, n = 0; k < size[2]; k++)
    for (let j = 0; j < size[1]; j++)
      for (let i = 0; i < size[0]; i++, n++) yield [transformPoint(ijkToLps, [i, j, k]), n];
}

function indexAt({ size, ijkToLps }: VolumeGeometry, lps: Vec3): number {
  const [i, j, k] = transformPoint(invert(ijkToLps), lps).map(Math.round) as never as Vec3;
  return (k * size[1] + j) * size[0] + i;
}

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
