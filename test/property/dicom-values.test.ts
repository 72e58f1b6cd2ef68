import fc from "fast-check";
import { expect, test } from "vitest";
import { type SliceLayout, storeValues } from "#converters/dicom/store-values.ts";

const plane = {
  rowDirection: [1, 0, 0],
  columnDirection: [0, 1, 0],
  normal: [0, 0, 1],
  betweenRows: 1,
  betweenColumns: 1,
  positionLps: [0, 0, 0],
} as const;

const cases = fc
  .record({
    bitsStored: fc.integer({ min: 1, max: 16 }),
    spare: fc.integer({ min: 0, max: 15 }),
    signed: fc.boolean(),
    slope: fc.constantFrom(1, 1, 1, 2, -1),
    intercept: fc.oneof(fc.constantFrom(0, -1024, -32768, 32767), fc.integer({ min: -70000, max: 70000 })),
    words: fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 1, maxLength: 40 }),
    skippedBytes: fc.integer({ min: 0, max: 3 }),
    offset: fc.integer({ min: 0, max: 3 }),
  })
  .map((one) => ({ ...one, highBit: Math.min(15, one.bitsStored - 1 + one.spare) }));

test("every word gives slope * stored + intercept, whatever its bits and wherever it lies", () => {
  fc.assert(
    fc.property(cases, ({ bitsStored, highBit, signed, slope, intercept, words, skippedBytes, offset }) => {
      const layout: SliceLayout = {
        pixel: {
          SamplesPerPixel: 1,
          PhotometricInterpretation: "MONOCHROME2",
          Rows: 1,
          Columns: words.length,
          BitsAllocated: 16,
          BitsStored: bitsStored,
          HighBit: highBit,
          PixelRepresentation: signed ? 1 : 0,
          PixelPaddingValue: undefined,
          PixelPaddingRangeLimit: undefined,
        },
        plane: { ...plane, rows: 1, columns: words.length },
        rescale: {
          RescaleSlope: slope,
          RescaleIntercept: intercept,
          RescaleType: undefined,
        },
      };
      const expected = words.map((word) => {
        const stored = (word >> (highBit + 1 - bitsStored)) % 2 ** bitsStored;
        const negative = signed && stored >= 2 ** (bitsStored - 1);
        return slope * (negative ? stored - 2 ** bitsStored : stored) + intercept;
      });
      const file = new Uint8Array(skippedBytes + words.length * 2);
      file.set(new Uint8Array(Uint16Array.from(words).buffer), skippedBytes);
      const samples = file.subarray(skippedBytes);
      const integers = new Int16Array(offset + words.length);
      const fits = storeValues(samples, layout, integers, offset);
      expect(fits).toBe(expected.every((value) => value >= -32768 && value <= 32767));
      if (fits) expect([...integers.subarray(offset)]).toEqual(expected.map((value) => value + 0));
      const floats = new Float32Array(offset + words.length);
      expect(storeValues(samples, layout, floats, offset)).toBe(true);
      expect([...floats.subarray(offset)]).toEqual(expected.map((value) => value + 0));
    }),
    { numRuns: 2000 },
  );
});
