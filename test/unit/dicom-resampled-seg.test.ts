import { describe, expect, test } from "vitest";
import {
  bytesOnSlices,
  checkSeg,
  checkStructureSet,
  contoursOnto,
  decodeSeg,
  decodeSeries,
  decodeStructureSet,
  encodeSeg,
  encodeStructureSet,
  firstText,
  isEmptyMask,
  maskOffSlices,
  maskOnSlices,
  maskOnto,
  probabilitiesOnSlices,
  readPart10,
  type SegKind,
} from "#converters/dicom/index.ts";
import { length, transformPoint, type Volume, voxelSizeMm } from "#converters/geometry/index.ts";
import { type BitVolume, createBitVolume, readSlice, unpackBits } from "#converters/mask/index.ts";
import { axial } from "../fixtures/ct-slices.ts";
import { dciodvfy, describeWithDciodvfy } from "../fixtures/dicom-tools.ts";
import { enhancedCt } from "../fixtures/enhanced-ct.ts";
import { segInput, segmentOf } from "../fixtures/seg-cases.ts";
import { UNEVEN, type UnevenSeries, unevenSeries } from "../fixtures/uneven-series.ts";

const CASES = (Object.keys(UNEVEN) as (keyof typeof UNEVEN)[]).map((name, n) => ({
  name,
  given: unevenSeries(UNEVEN[name], n + 1),
}));

async function resampled(instances: readonly Uint8Array[]) {
  const { volume, header } = await decodeSeries(instances, { resample: true });
  if (!volume.stack) throw new Error("the series is a regular grid");
  return { volume, header, stack: volume.stack };
}

/** The object's voxels on the volume's own grid, by their centres. */
function objectOf({ geometry }: Volume, { depth }: UnevenSeries, more = 0): BitVolume {
  const mask = createBitVolume(geometry.size);
  const [ni, nj, nk] = geometry.size;
  for (let k = 0, n = 0; k < nk; k++)
    for (let j = 0; j < nj; j++)
      for (let i = 0; i < ni; i++, n++)
        if (depth(transformPoint(geometry.ijkToLps, [i, j, k])) > more) mask.bits[n >>> 3]! |= 1 << (n & 7);
  return mask;
}

/** A SEG of two segments, the object and its core, as the domain writes it. */
async function written(given: UnevenSeries, kind: SegKind = "binary") {
  const { volume, header, stack } = await resampled(given.instances);
  const [object, core] = [objectOf(volume, given), objectOf(volume, given, 2.5)];
  const shell = { ...object, bits: object.bits.map((byte, n) => byte & ~core.bits[n]!) };
  const masks = [core, kind === "labelmap" ? shell : object];
  const input = {
    ...segInput(
      stack.geometry,
      masks.map((mask, n) => segmentOf(["core", "object"][n]!, maskOnSlices(mask, stack), n + 1)),
    ),
    header,
    sources: stack.sources,
    uneven: true,
    kind,
    derivation: "Put back onto its slices",
  };
  const part10 = encodeSeg(input);
  return { part10, input, masks, volume, stack, seg: decodeSeg(part10) };
}

describe.each(CASES)("a SEG of a series that was resampled ($name slices)", ({ given }) => {
  test("has the object, cut at each slice's own plane, to half a voxel of the regular grid", async () => {
    const { seg, volume, stack } = await written(given);
    const [columns, rows] = given.pixels;
    const halfVoxel = length(voxelSizeMm(volume.geometry.ijkToLps)) / 2 + 1e-6;
    const mask = maskOnto(seg, 2, stack);
    expect(mask.size).toEqual([columns, rows, given.instances.length]);
    let told = 0;
    for (let n = 0; n < given.instances.length; n++) {
      for (const [p, isSet] of readSlice(mask, n).entries()) {
        const depth = given.depth(given.place(p % columns, Math.floor(p / columns), n));
        if (Math.abs(depth) < halfVoxel) continue;
        told += isSet;
        expect(isSet === 1, `slice ${n}, pixel ${p}: ${depth} mm inside`).toBe(depth > 0);
      }
    }
    expect(told).toBeGreaterThan(200);
  });

  test("has each frame where its image is, and names it", async () => {
    const { seg, part10 } = await written(given);
    expect(seg.frames.length).toBeGreaterThan(6);
    for (const { positionLps, sourceSopInstanceUid } of seg.frames) {
      const n = given.sopInstanceUids.indexOf(sourceSopInstanceUid ?? "");
      for (const axis of [0, 1, 2] as const) expect(positionLps[axis]).toBeCloseTo(given.positions[n]![axis], 5);
    }
    expect([...seg.referencedSopInstanceUids].sort()).toEqual([...given.sopInstanceUids].sort());
    const { dataSet } = readPart10(part10, { stopBeforePixels: true });
    expect(firstText(dataSet, "DerivationDescription")).toBe("Put back onto its slices");
  });

  test.each(["binary", "fractional", "labelmap"] as const)(
    "passes the self-check as %s, which finds a frame of another slice",
    async (kind) => {
      const { part10, input, stack } = await written(given, kind);
      expect(() => checkSeg(part10, input)).not.toThrow();
      const others = { ...stack, corners: [...stack.corners.slice(1), stack.corners.at(-1)!] };
      const { volume } = await resampled(given.instances);
      const shifted = input.segments.map((segment) => ({
        ...segment,
        mask: maskOnSlices(objectOf(volume, given), others),
      }));
      expect(() => checkSeg(part10, { ...input, segments: shifted })).toThrow(/self-check/);
    },
  );

  test("comes back as the masks that were written, whatever its kind", async () => {
    for (const kind of ["binary", "fractional", "labelmap"] as const) {
      const { seg, masks, stack } = await written(given, kind);
      for (const [s, mask] of masks.entries()) {
        const read = maskOnto(seg, s + 1, stack);
        const wanted = maskOnSlices(mask, stack);
        for (let n = 0; n < read.size[2]; n++) {
          const pixels = read.size[0] * read.size[1];
          expect(readSlice(read, n)).toEqual(unpackBits(wanted.slice(n), 0, pixels));
        }
      }
    }
  });

  test("put onto the volume again is the object, to a slice", async () => {
    const { seg, masks, volume, stack } = await written(given);
    const { bits } = maskOffSlices(maskOnto(seg, 2, stack), stack, volume.geometry.size);
    const whole = masks[1]!.bits;
    const count = (bytes: Uint8Array) =>
      bytes.reduce((sum, byte) => sum + byte.toString(2).replaceAll("0", "").length, 0);
    const both = count(bits.map((byte, n) => byte & whole[n]!));
    expect((2 * both) / (count(bits) + count(whole))).toBeGreaterThan(0.85);
  });

  test("and contours lie in the planes of the images", async () => {
    const { input, stack } = await written(given);
    const { header, geometry, sources, uneven, segments, at } = input;
    const rois = segments.map(({ label, description, codes, mask }) => ({ name: label, description, codes, mask }));
    const structureSet = {
      header,
      geometry,
      sources,
      uneven,
      rois,
      at,
      seriesDescription: "",
      algorithm: input.algorithm,
      uids: { series: "2.25.5", instance: "2.25.6" },
    };
    const part10 = encodeStructureSet(structureSet);
    expect(() => checkStructureSet(part10, structureSet)).not.toThrow();
    const [core] = decodeStructureSet(part10).rois;
    const filled = contoursOnto(core!, stack);
    for (let n = 0; n < filled.size[2]; n++) {
      const pixels = filled.size[0] * filled.size[1];
      expect(readSlice(filled, n)).toEqual(unpackBits(segments[0]!.mask.slice(n), 0, pixels));
    }
  });
});

describeWithDciodvfy("dciodvfy", () => {
  test.each(
    CASES.flatMap(({ name, given }) => (["binary", "fractional"] as const).map((kind) => ({ name, given, kind }))),
  )("finds no error in a $kind SEG on $name slices", async ({ given, kind }) => {
    expect(dciodvfy((await written(given, kind)).part10).errors).toEqual([]);
  });
});

test("frames of an enhanced image are referred to by number, where the image's frames are not evenly apart", async () => {
  const { volume, header, stack } = await resampled([enhancedCt([4.2, 0, 1, 5.2, 2.1].map((k) => ({ k })))]);
  const mask = createBitVolume(volume.geometry.size);
  mask.bits.fill(0xff);
  const input = {
    ...segInput(stack.geometry, [segmentOf("all", maskOnSlices(mask, stack))]),
    header,
    sources: stack.sources,
    uneven: true,
  };
  const part10 = encodeSeg(input);
  checkSeg(part10, input);
  const { frames } = decodeSeg(part10);
  expect(frames.map(({ sourceFrame }) => sourceFrame)).toEqual([2, 3, 5, 1, 4]);
  const heights = [0, 1, 2.1, 4.2, 5.2].map((k) => axial.origin[2] + k * axial.spacingMm);
  for (const [n, { positionLps }] of frames.entries()) expect(positionLps[2]).toBeCloseTo(heights[n]!, 9);
});

describe("on the slices that a volume was interpolated from", () => {
  test("probabilities are those of a linear field, exactly", async () => {
    for (const { given } of CASES) {
      const { volume, stack } = await resampled(given.instances);
      const { size } = volume.geometry;
      // Linear in i, j and k, and within 0 to 255 everywhere.
      const field = (i: number, j: number, k: number) =>
        20 + (60 * i) / size[0] + (80 * j) / size[1] + (90 * k) / size[2];
      const slice = new Uint8Array(size[0] * size[1]);
      const at = probabilitiesOnSlices(
        (k) => {
          for (let p = 0; p < slice.length; p++) slice[p] = Math.round(field(p % size[0], Math.floor(p / size[0]), k));
          return slice;
        },
        size,
        stack,
      );
      for (const [n, [i, j, k]] of stack.corners.entries()) {
        const found = at(n)!;
        const [columns, rows] = given.pixels;
        // The last row and column may lie at the grid's edge, where there is nothing to interpolate with.
        for (let y = 0; y < rows - 1; y++)
          for (let x = 0; x < columns - 1; x++)
            expect(Math.abs(found[y * columns + x]! - field(i + x, j + y, k))).toBeLessThan(1.1);
      }
    }
  });

  test("there is no slice of probabilities where the volume has none", async () => {
    const { volume, stack } = await resampled(CASES[1]!.given.instances);
    const some = new Uint8Array(volume.geometry.size[0] * volume.geometry.size[1]).fill(100);
    const at = probabilitiesOnSlices((k) => (k === 4 ? some : undefined), volume.geometry.size, stack);
    const told = stack.corners.map((_, n) => at(n)?.[0]);
    for (const [n, [, , level]] of stack.corners.entries()) {
      const weight = Math.max(0, 1 - Math.abs(level - 4));
      if (weight > 0.02) expect(told[n]).toBeCloseTo(100 * weight, -0.5);
      else expect(told[n] ?? 0).toBeLessThan(3);
    }
    expect(told).toContain(undefined);
  });

  test("bytes cut at a threshold are the mask that was cut at it", async () => {
    for (const { given } of CASES) {
      const { volume, stack } = await resampled(given.instances);
      const { size } = volume.geometry;
      const voxels = Uint8Array.from(
        { length: size[0] * size[1] * size[2] },
        (_, n) => Math.imul(n, 2_654_435_761) >>> 24,
      );
      const mask = createBitVolume(size);
      for (const [n, value] of voxels.entries()) if (value > 100) mask.bits[n >>> 3]! |= 1 << (n & 7);
      const cut = bytesOnSlices(voxels, size, stack).map((value) => (value > 100 ? 1 : 0));
      const slices = maskOnSlices(mask, stack);
      const pixels = slices.size[0] * slices.size[1];
      for (let n = 0; n < slices.size[2]; n++) {
        expect(cut.subarray(n * pixels, (n + 1) * pixels)).toEqual(unpackBits(slices.slice(n), 0, pixels));
      }
    }
  });

  test("a thing that lies in none of them leaves an empty mask", async () => {
    const { volume, stack } = await resampled(CASES[0]!.given.instances);
    const mask = createBitVolume(volume.geometry.size);
    const pixels = volume.geometry.size[0] * volume.geometry.size[1];
    // Slice 4 is not there.
    mask.bits[(4 * pixels + 8) >>> 3] = 1;
    expect(isEmptyMask(mask)).toBe(false);
    expect(isEmptyMask(maskOnSlices(mask, stack))).toBe(true);
  });
});

test("slices that lie where their sources say need one each, in their order", async () => {
  const { input } = await written(CASES[1]!.given);
  expect(() => encodeSeg({ ...input, sources: input.sources.slice(1) })).toThrow(/source each/);
  const reversed = input.sources.map((source, n) => ({ ...source, sliceIndex: input.sources.length - 1 - n }));
  expect(() => encodeSeg({ ...input, sources: reversed })).toThrow(/order/);
});

test("a regular series has no slices but the volume's", async () => {
  const regular = unevenSeries({ ...UNEVEN.missing, firsts: [0, 1, 2, 3].map((n) => [0, 0, 2 * n]) }, 9);
  expect((await decodeSeries(regular.instances, { resample: true })).volume).not.toHaveProperty("stack");
});
