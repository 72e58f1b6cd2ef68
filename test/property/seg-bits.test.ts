import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeSeg, encodeSeg } from "#converters/dicom/index.ts";
import type { Vec3 } from "#converters/geometry/index.ts";
import { createBitVolume, readSlice } from "#converters/mask/index.ts";
import { geometryOf, segInput, segmentOf } from "../fixtures/seg-cases.ts";

/** Odd widths make every frame start at another bit of a byte. */
const sizes = fc.tuple(fc.integer({ min: 1, max: 19 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 9 }));

test("every frame's pixels are its slice's voxels, at whichever bit of a byte it begins", () => {
  fc.assert(
    fc.property(
      sizes.chain((size) =>
        fc.record({
          size: fc.constant<Vec3>(size),
          bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }),
        }),
      ),
      ({ size, bytes }) => {
        const mask = createBitVolume(size);
        const voxels = size[0] * size[1] * size[2];
        mask.bits[0] = 1;
        for (let n = 0; n < voxels; n++) {
          if ((bytes[(n >>> 3) % bytes.length]! >>> (n & 7)) & 1) mask.bits[n >>> 3]! |= 1 << (n & 7);
        }
        const input = segInput(geometryOf("axial", size), [segmentOf("thing", mask)]);
        const seg = decodeSeg(encodeSeg(input));
        let frames = 0;
        for (const [n, frame] of seg.frames.entries()) {
          const source = input.sources.find(({ sopInstanceUid }) => sopInstanceUid === frame.sourceSopInstanceUid)!;
          expect([...seg.framePixels(n)]).toEqual([...readSlice(mask, source.sliceIndex)]);
          frames++;
        }
        const filled = input.sources.filter(({ sliceIndex }) => readSlice(mask, sliceIndex).includes(1));
        expect(frames).toBe(filled.length);
      },
    ),
    { numRuns: 200 },
  );
});
