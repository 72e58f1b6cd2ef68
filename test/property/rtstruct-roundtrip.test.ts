import fc from "fast-check";
import { expect, test } from "vitest";
import { contoursOnto, decodeStructureSet, encodeStructureSet } from "#converters/dicom/index.ts";
import type { Vec3 } from "#converters/geometry/index.ts";
import { type BitVolume, countBits, createBitVolume, outlinesOfSlice } from "#converters/mask/index.ts";
import { GEOMETRY_KINDS, geometryOf } from "../fixtures/seg-cases.ts";
import { structureSetInput } from "../fixtures/structure-set-cases.ts";

/** Masks from sparse to almost full: holes in holes, pieces that touch at corners, voxels on every border. */
const masks = fc
  .tuple(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 3 }))
  .chain((size) =>
    fc
      .tuple(
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 500, maxLength: 510 }),
      )
      .map(([density, dice]): BitVolume => {
        const mask = createBitVolume(size as Vec3);
        const voxels = size[0] * size[1] * size[2];
        for (let n = 0; n < voxels; n++) if (dice[n % dice.length]! < density) mask.bits[n >>> 3]! |= 1 << (n & 7);
        return mask;
      }),
  )
  .filter(({ bits }) => bits.some((byte) => byte !== 0));

test("a mask drawn as contours and filled again is the same mask, however the grid lies", () => {
  fc.assert(
    fc.property(masks, fc.constantFrom(...GEOMETRY_KINDS), (mask, kind) => {
      const geometry = geometryOf(kind, mask.size);
      const { rois } = decodeStructureSet(encodeStructureSet(structureSetInput(geometry, [mask])));
      expect(Buffer.compare(contoursOnto(rois[0]!, geometry).bits, mask.bits)).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test("outlines enclose as many voxels as the mask has", () => {
  fc.assert(
    fc.property(masks, (mask) => {
      let area = 0;
      for (let k = 0; k < mask.size[2]; k++) {
        for (const polygon of outlinesOfSlice(mask, k)) {
          for (let n = 0; n < polygon.length; n++) {
            const [a, b] = [polygon[n]!, polygon[(n + 1) % polygon.length]!];
            area += (a[0] * b[1] - b[0] * a[1]) / 2;
          }
        }
      }
      expect(area).toBeCloseTo(countBits(mask.bits, 0, mask.bits.length * 8), 6);
    }),
  );
});
