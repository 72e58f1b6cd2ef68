import { PNG } from "pngjs";
import { describe, expect, test } from "vitest";
import {
  fromColumns,
  transformPoint,
  type Vec3,
  type Volume,
  type VolumeGeometry,
} from "#converters/geometry/index.ts";
import { type BitVolume, createBitVolume } from "#converters/mask/index.ts";
import { overlayPng } from "../../server/demo/overlay-png.ts";

const red = [255, 0, 0] as const;

/** 80 x 100 x 60 mm around the origin, stored with the given voxel axes. */
function head(columns: readonly [Vec3, Vec3, Vec3], size: Vec3): Volume<Int16Array> {
  const [ni, nj, nk] = size;
  const middle = transformPoint(fromColumns(...columns, [0, 0, 0]), [(ni - 1) / 2, (nj - 1) / 2, (nk - 1) / 2]);
  const origin: Vec3 = [-middle[0], -middle[1], -middle[2]];
  return {
    geometry: { size, ijkToLps: fromColumns(...columns, origin), frameOfReferenceUid: "" },
    voxels: new Int16Array(ni * nj * nk).fill(40),
    unit: "HU",
    modality: "CT",
    sources: [],
  };
}

const axial = () =>
  head(
    [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 4],
    ],
    [80, 100, 15],
  );

/** A ball, by its place in the patient. */
function ball({ size, ijkToLps }: VolumeGeometry, centre: Vec3, radiusMm: number): BitVolume {
  const mask = createBitVolume(size);
  const [ni, nj, nk] = size;
  for (let k = 0, n = 0; k < nk; k++) {
    for (let j = 0; j < nj; j++) {
      for (let i = 0; i < ni; i++, n++) {
        const [x, y, z] = transformPoint(ijkToLps, [i, j, k]);
        if (Math.hypot(x - centre[0], y - centre[1], z - centre[2]) <= radiusMm) mask.bits[n >>> 3]! |= 1 << (n & 7);
      }
    }
  }
  return mask;
}

interface Patch {
  readonly width: number;
  readonly height: number;
  /** Where its middle lies, 0 to 1 across and down its panel. */
  readonly across: number;
  readonly down: number;
}

/** The red patches of a picture, panel by panel from the left. */
function patches(volume: Volume, mask: BitVolume): readonly Patch[] {
  const png = PNG.sync.read(Buffer.from(overlayPng({ volume, masks: [{ name: "", mask, colour: red }] })));
  const { width, data } = png;
  const height = png.height - 26;
  const at = (x: number, y: number) => [0, 1, 2].map((c) => data[(y * width + x) * 4 + c]!) as [number, number, number];
  const columns = Array.from({ length: width }, (_, x) => Array.from({ length: height }, (_, y) => at(x, y)));
  const inPanel = columns.map((column) => column.some(([r, g, b]) => !(r === 13 && g === 16 && b === 20)));
  const panels: { from: number; to: number }[] = [];
  inPanel.forEach((inside, x) => {
    if (inside && !inPanel[x - 1]) panels.push({ from: x, to: x });
    if (inside) panels.at(-1)!.to = x + 1;
  });
  return panels.map(({ from, to }) => {
    const points: [number, number][] = [];
    const used: number[] = [];
    for (let x = from; x < to; x++) {
      columns[x]!.forEach(([r, g, b], y) => {
        if (!(r === 13 && g === 16 && b === 20)) used.push(y);
        if (r > g + 40 && r > b + 40) points.push([x, y]);
      });
    }
    const xs = points.map(([x]) => x);
    const ys = points.map(([, y]) => y);
    const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const [first, last] = [used.reduce((a, b) => Math.min(a, b)), used.reduce((a, b) => Math.max(a, b))];
    return {
      width: right - left + 1,
      height: bottom - top + 1,
      across: ((left + right) / 2 - from) / (to - from),
      down: ((top + bottom) / 2 - first) / (last - first),
    };
  });
}

describe("the overlay picture", () => {
  test("shows a ball as a disc in all three planes, whatever the voxels' shape", () => {
    const volume = axial();
    const found = patches(volume, ball(volume.geometry, [0, 0, 0], 22));
    expect(found).toHaveLength(3);
    const sizes = found.flatMap(({ width, height }) => [width, height]);
    expect(Math.max(...sizes) / Math.min(...sizes)).toBeLessThan(1.15);
  });

  test("looks from the feet and from the front: the patient's left is on the right, the front on top", () => {
    const volume = axial();
    const [axialPatch, coronal, sagittal] = patches(volume, ball(volume.geometry, [20, -30, 12], 12));
    expect(axialPatch!.across).toBeCloseTo(0.75, 1);
    expect(axialPatch!.down).toBeCloseTo(0.2, 1);
    expect(coronal!.across).toBeCloseTo(0.75, 1);
    expect(coronal!.down).toBeCloseTo(0.3, 1);
    expect(sagittal!.across).toBeCloseTo(0.2, 1);
    expect(sagittal!.down).toBeCloseTo(0.3, 1);
  });

  test("does not depend on the order in which voxels are stored", () => {
    const stored = axial();
    const turned = head(
      [
        [0, 0, -4],
        [-1, 0, 0],
        [0, -1, 0],
      ],
      [15, 80, 100],
    );
    const centre: Vec3 = [-15, 20, 8];
    expect(patches(turned, ball(turned.geometry, centre, 15))).toEqual(
      patches(stored, ball(stored.geometry, centre, 15)),
    );
  });

  test("shows a pair of organs though its centre lies between them", () => {
    const volume = axial();
    const pair = ball(volume.geometry, [-25, 0, 0], 8);
    ball(volume.geometry, [25, 0, 0], 8).bits.forEach((byte, n) => {
      pair.bits[n]! |= byte;
    });
    expect(patches(volume, pair).every(({ width, height }) => width > 10 && height > 10)).toBe(true);
  });

  test("is a picture too where nothing was found", () => {
    const volume = axial();
    const { width, height } = PNG.sync.read(Buffer.from(overlayPng({ volume, masks: [] })));
    expect(width).toBeGreaterThan(height);
  });
});
