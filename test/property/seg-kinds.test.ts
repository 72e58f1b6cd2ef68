import fc from "fast-check";
import { expect, test } from "vitest";
import { openRle } from "#converters/dicom/codec-rle.ts";
import { encodeRle } from "#converters/dicom/encode-rle.ts";
import { checkSeg, decodeSeg, encodeSeg, maskOnto, type SegInput } from "#converters/dicom/index.ts";
import type { Vec3 } from "#converters/geometry/index.ts";
import { createBitVolume } from "#converters/mask/index.ts";
import { GEOMETRY_KINDS, geometryOf, segInput, segmentOf } from "../fixtures/seg-cases.ts";

const sizes = fc.tuple(fc.integer({ min: 1, max: 13 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 4 }));
const compressions = fc.constantFrom("none" as const, "rle" as const, "deflated" as const);

/** Rows as masks have them: runs of every length, and stretches where each pixel is another. */
const rows = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 255 }), fc.boolean()), { maxLength: 12 })
  .map((runs) =>
    runs.flatMap(([length, value, runs]) => Array.from({ length }, (_, n) => (runs ? value : (value + n * 7) & 255))),
  )
  .filter((row) => row.length > 0);

test("RLE unpacks to the frame that was packed, of one byte a pixel and of two", () => {
  const decode = openRle();
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 5 }), fc.constantFrom(1 as const, 2 as const), (row, count, bytes) => {
      const frame = Uint8Array.from({ length: row.length * count * bytes }, (_, n) => row[n % row.length]!);
      const packed = encodeRle(frame, row.length, bytes);
      expect(packed.length % 2).toBe(0);
      const shape = { rows: count, columns: row.length, bitsAllocated: 8 * bytes };
      expect(Buffer.compare(decode(packed, shape), frame)).toBe(0);
    }),
    { numRuns: 500 },
  );
});

test("probabilities written and read back are the same, and the rest is 0", () => {
  const given = sizes.chain((size) =>
    fc.record({
      size: fc.constant(size as Vec3),
      fractions: fc.array(
        fc.uint8Array({ minLength: size[0] * size[1] * size[2], maxLength: size[0] * size[1] * size[2] }),
        { minLength: 1, maxLength: 3 },
      ),
      compression: compressions,
      grid: fc.constantFrom(...GEOMETRY_KINDS),
    }),
  );
  fc.assert(
    fc.property(given, ({ size, fractions, compression, grid }) => {
      fc.pre(fractions.some((volume) => volume.some((value) => value > 0)));
      const pixels = size[0] * size[1];
      const segments = fractions.map((volume, s) => ({
        ...segmentOf(`thing ${s}`, createBitVolume(size), s),
        probabilities: (k: number) => volume.subarray(k * pixels, (k + 1) * pixels),
      }));
      const input: SegInput = { ...segInput(geometryOf(grid, size), segments), kind: "fractional", compression };
      const part10 = encodeSeg(input);
      checkSeg(part10, input);
      const seg = decodeSeg(part10);
      const read = fractions.map(() => new Uint8Array(pixels * size[2]));
      for (const [n, { segmentNumber, sourceSopInstanceUid }] of seg.frames.entries()) {
        const source = input.sources.find(({ sopInstanceUid }) => sopInstanceUid === sourceSopInstanceUid)!;
        read[segmentNumber! - 1]!.set(seg.framePixels(n), source.sliceIndex * pixels);
      }
      expect(read).toEqual(fractions.map((volume) => new Uint8Array(volume)));
    }),
    { numRuns: 100 },
  );
});

test("exclusive masks written as a label map come back as the same masks", () => {
  const given = sizes.chain((size) =>
    fc.record({
      size: fc.constant(size as Vec3),
      labels: fc.array(fc.integer({ min: 0, max: 3 }), {
        minLength: size[0] * size[1] * size[2],
        maxLength: size[0] * size[1] * size[2],
      }),
      compression: compressions,
      grid: fc.constantFrom(...GEOMETRY_KINDS),
    }),
  );
  fc.assert(
    fc.property(given, ({ size, labels, compression, grid }) => {
      fc.pre(labels.some((label) => label > 0));
      const segments = [1, 2, 3].map((label) => {
        const mask = createBitVolume(size);
        for (const [n, value] of labels.entries()) if (value === label) mask.bits[n >>> 3]! |= 1 << (n & 7);
        return segmentOf(`thing ${label}`, mask, label);
      });
      const geometry = geometryOf(grid, size);
      const input: SegInput = { ...segInput(geometry, segments), kind: "labelmap", compression };
      const part10 = encodeSeg(input);
      checkSeg(part10, input);
      const seg = decodeSeg(part10);
      for (const [n, { mask }] of segments.entries()) {
        expect(Buffer.compare(maskOnto(seg, n + 1, geometry).bits, mask.bits)).toBe(0);
      }
    }),
    { numRuns: 100 },
  );
});
