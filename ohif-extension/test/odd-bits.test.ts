import fc from "fast-check";
import { expect, test } from "vitest";
import { element, part10 } from "../../test/fixtures/dicom-file.ts";
import type { LabelImage } from "../src/ohif/labelmap.ts";
import { oddBitsOf, relabelByBits } from "../src/ohif/odd-bits.ts";

/** A SEG of frames of one row, packed as PS3.5 section 8.1.1 has it: the first pixel in the lowest bit, frames run on. */
function packed(frames: readonly (readonly boolean[])[]): ArrayBuffer {
  const bits = frames.flat();
  const bytes = Math.ceil(bits.length / 8);
  const pixels = new Uint8Array(bytes + (bytes % 2));
  for (const [n, bit] of bits.entries()) if (bit) pixels[n >> 3]! |= 1 << (n & 7);
  return new Uint8Array(part10([element("Rows", 1), element("PixelData", pixels)])).buffer;
}

const instanceOf = (columns: number, frames: number) => ({
  BitsAllocated: 1,
  Rows: 1,
  Columns: columns,
  NumberOfFrames: frames,
  // One sequence as a list, one as its only item: OHIF has both.
  PerFrameFunctionalGroupsSequence: Array.from({ length: frames }, (_, n) => ({
    SegmentIdentificationSequence: [{ ReferencedSegmentNumber: 1 + (n % 2) }],
    DerivationImageSequence: { SourceImageSequence: { ReferencedSOPInstanceUID: `1.${n >> 1}` } },
  })),
});

/** Labels that are wrong, in one map for each segment. */
function layersOf(columns: number, images: number): readonly ReadonlyMap<string, LabelImage>[] {
  return [1, 2].map(
    (label) =>
      new Map(
        Array.from({ length: images }, (_, n) => {
          const labels = new Uint8Array(columns).fill(label, 0, 1);
          const id = `wadors:/x/instances/1.${n}/frames/1`;
          return [id, { rows: 1, columns, referencedImageId: id, voxelManager: { getScalarData: () => labels } }];
        }),
      ),
  );
}

const made = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 4 }))
  .filter(([columns]) => columns % 8 !== 0)
  .chain(([columns, images]) =>
    fc.array(fc.array(fc.boolean(), { minLength: columns, maxLength: columns }), {
      minLength: 2 * images,
      maxLength: 2 * images,
    }),
  );

test("each pixel gets its own label, whatever stood there, and the file loses its pad only", () => {
  fc.assert(
    fc.property(made, (frames) => {
      const columns = frames[0]!.length;
      const file = packed(frames);
      const instance = instanceOf(columns, frames.length);
      const bits = oddBitsOf(file, instance)!;
      const bytes = Math.ceil((columns * frames.length) / 8);
      expect(bits.file.byteLength).toBe(file.byteLength - (bytes % 2));
      expect(new DataView(bits.file).getUint32(bits.file.byteLength - bytes - 4, true)).toBe(bytes);
      const layers = layersOf(columns, frames.length / 2);
      relabelByBits(instance, bits, layers);
      for (const [n, frame] of frames.entries()) {
        const label = 1 + (n % 2);
        const image = layers[label - 1]!.get(`wadors:/x/instances/1.${n >> 1}/frames/1`)!;
        expect([...image.voxelManager.getScalarData()]).toEqual(frame.map((bit) => (bit ? label : 0)));
      }
    }),
  );
});

test("frames that begin with a byte, and what is no such file, are left alone", () => {
  const frames = [Array.from({ length: 24 }, () => true)];
  expect(oddBitsOf(packed(frames), instanceOf(24, 1))).toBeUndefined();
  expect(oddBitsOf(packed(frames), instanceOf(77, 1))).toBeUndefined();
  expect(oddBitsOf(new ArrayBuffer(3), instanceOf(3, 1))).toBeUndefined();
  expect(oddBitsOf([1], instanceOf(3, 1))).toBeUndefined();
  expect(oddBitsOf(packed(frames), { ...instanceOf(3, 1), BitsAllocated: 8 })).toBeUndefined();
});
