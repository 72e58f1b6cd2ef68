import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeSeries } from "#converters/dicom/index.ts";
import {
  type Mat4,
  multiply,
  resampleNearest,
  resampleTrilinear,
  transformPoint,
  type Vec3,
  type Volume,
  type VolumeGeometry,
} from "#converters/geometry/index.ts";
import { type InstalledLabels, openModelStore } from "#models/index.ts";
import { createLabelsModel, type EngineModel } from "#server/engines/index.ts";
import { describeWithData, readSeries } from "../fixtures/shared-data.ts";
import { dice, overlap, wholeMasks } from "../fixtures/whole-masks.ts";

const STRUCTURES = ["thalamus", "caudate", "putamen", "hippocampus", "cerebral white matter"] as const;
const SIDES = ["left", "right"] as const;

describeWithData("left and right on a head that training never saw", () => {
  let folder: string;
  let model: EngineModel;
  let head: Volume;
  let masks: Map<string, Uint8Array>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "parse3d-sides-"));
    const { brainT1 } = await openModelStore(folder).ensureBuiltIn();
    model = createLabelsModel(brainT1 as InstalledLabels);
    head = (await decodeSeries(readSeries("mr_t1_enhanced_siemens_xa30/dicom"))).volume;
    masks = await segment(head);
  }, 300_000);
  afterAll(async () => {
    await model[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const segment = (volume: Volume) =>
    wholeMasks(
      model,
      volume,
      STRUCTURES.flatMap((name) => SIDES.map((side) => `${side} ${name}`)),
    );

  /** The copy's structures, on the head's own grid, lie where the head's are, each on its own side. */
  async function expectSame(copy: Volume, leastDice: number) {
    const copied = await segment(copy);
    for (const name of STRUCTURES) {
      const [left, right] = SIDES.map((side) =>
        resampleNearest(copied.get(`${side} ${name}`)!, copy.geometry, head.geometry),
      );
      expect(dice(left!, masks.get(`left ${name}`)!), `left ${name}`).toBeGreaterThan(leastDice);
      expect(dice(right!, masks.get(`right ${name}`)!), `right ${name}`).toBeGreaterThan(leastDice);
      expect(overlap(left!, masks.get(`right ${name}`)!)).toBeLessThan(0.02 * overlap(left!, left!));
      expect(overlap(right!, masks.get(`left ${name}`)!)).toBeLessThan(0.02 * overlap(right!, right!));
    }
  }

  test("the left ones lie towards the patient's left", () => {
    for (const name of STRUCTURES) {
      const [left, right] = SIDES.map((side) => middle(masks.get(`${side} ${name}`)!, head.geometry));
      expect(left![0] - right![0], name).toBeGreaterThan(10);
      expect(Math.abs(left![1] - right![1])).toBeLessThan(10);
    }
  });

  test("they stay where they are when the voxels are stored in another order", { timeout: 120_000 }, async () => {
    const [ni, nj, nk] = head.geometry.size;
    const stored: Mat4 = [0, 0, -1, ni - 1, -1, 0, 0, nj - 1, 0, 1, 0, 0, 0, 0, 0, 1];
    const geometry = {
      ...head.geometry,
      size: [nj, nk, ni],
      ijkToLps: multiply(head.geometry.ijkToLps, stored),
    } as const;
    const voxels = resampleNearest(head.voxels, head.geometry, geometry);
    await expectSame({ ...head, geometry, voxels, sources: [] }, 0.99);
  });

  test("they stay where they are when it is resampled along oblique axes", { timeout: 120_000 }, async () => {
    const geometry = obliqueGrid(head.geometry, [0.3, -0.25, 0.4], [1.5, 1.7, 2.4]);
    const voxels = resampleTrilinear(head, geometry, 0);
    await expectSame({ ...head, geometry, voxels, sources: [] }, 0.7);
  });

  test("they change places when the head is mirrored", { timeout: 120_000 }, async () => {
    const mirror: Mat4 = [-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    const geometry = { ...head.geometry, ijkToLps: multiply(mirror, head.geometry.ijkToLps) };
    const mirrored = await segment({ ...head, geometry, sources: [] });
    for (const name of STRUCTURES) {
      const left = mirrored.get(`left ${name}`)!;
      expect(dice(left, masks.get(`right ${name}`)!), name).toBeGreaterThan(0.7);
      expect(overlap(left, masks.get(`left ${name}`)!)).toBeLessThan(0.02 * overlap(left, left));
    }
  });
});

/** A grid around the same middle, turned about all three axes (radians), that covers the volume. */
function obliqueGrid({ size, ijkToLps }: VolumeGeometry, [a, b, c]: Vec3, spacing: Vec3): VolumeGeometry {
  const turn = (cos: number, sin: number, axis: 0 | 1 | 2): Mat4 =>
    axis === 0
      ? [1, 0, 0, 0, 0, cos, -sin, 0, 0, sin, cos, 0, 0, 0, 0, 1]
      : axis === 1
        ? [cos, 0, sin, 0, 0, 1, 0, 0, -sin, 0, cos, 0, 0, 0, 0, 1]
        : [cos, -sin, 0, 0, sin, cos, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  const turns = [a, b, c].map((angle, axis) => turn(Math.cos(angle), Math.sin(angle), axis as 0 | 1 | 2));
  const scaled: Mat4 = [spacing[0], 0, 0, 0, 0, spacing[1], 0, 0, 0, 0, spacing[2], 0, 0, 0, 0, 1];
  const matrix = [...turns, scaled].reduce((product, next) => multiply(product, next));
  const count = spacing.map((step) => Math.ceil(330 / step)) as unknown as Vec3;
  const middle = transformPoint(ijkToLps, size.map((n) => n / 2) as unknown as Vec3);
  const own = transformPoint(matrix, count.map((n) => n / 2) as unknown as Vec3);
  const shift: Mat4 = [
    1,
    0,
    0,
    middle[0] - own[0],
    0,
    1,
    0,
    middle[1] - own[1],
    0,
    0,
    1,
    middle[2] - own[2],
    0,
    0,
    0,
    1,
  ];
  return { size: count, ijkToLps: multiply(shift, matrix), frameOfReferenceUid: "" };
}

function middle(mask: Uint8Array, { size: [ni, nj], ijkToLps }: VolumeGeometry): Vec3 {
  const sum = [0, 0, 0];
  let count = 0;
  for (const [n, inside] of mask.entries()) {
    if (!inside) continue;
    for (const [axis, index] of [n % ni, Math.floor(n / ni) % nj, Math.floor(n / ni / nj)].entries())
      sum[axis]! += index;
    count++;
  }
  return transformPoint(ijkToLps, sum.map((value) => value / count) as unknown as Vec3);
}
