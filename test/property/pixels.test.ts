import fc from "fast-check";
import { expect, test } from "vitest";
import {
  padToSquare,
  percentileWindow,
  resizeBicubicUint8,
  squarePadding,
  upsampleAntialiased,
  windowToUint8,
} from "#converters/pixels/index.ts";

const kinds = {
  Int8Array: fc.int8Array({ minLength: 1, maxLength: 300 }),
  Uint8Array: fc.uint8Array({ minLength: 1, maxLength: 300 }),
  Int16Array: fc.int16Array({ minLength: 1, maxLength: 300 }),
  Uint16Array: fc.uint16Array({ minLength: 1, maxLength: 300 }),
  Int32Array: fc.int32Array({ minLength: 1, maxLength: 300 }),
  Uint32Array: fc.uint32Array({ minLength: 1, maxLength: 300 }),
  Float32Array: fc.float32Array({ minLength: 1, maxLength: 300 }),
  Float64Array: fc.float64Array({ minLength: 1, maxLength: 300 }),
};

test.each(Object.entries(kinds))("percentiles of %s are those of the sorted finite voxels", (_, voxels) => {
  fc.assert(
    fc.property(voxels, fc.constantFrom(0, 0.5, 10, 50, 99.5, 100), fc.boolean(), (array, percent, positive) => {
      const sorted = [...array]
        .filter((value) => Number.isFinite(value) && (!positive || value > 0))
        .sort((a, b) => a - b);
      fc.pre(sorted.length > 0);
      const rank = (percent / 100) * (sorted.length - 1);
      const below = sorted[Math.floor(rank)]!;
      const above = sorted[Math.ceil(rank)]!;
      const part = rank % 1;
      // numpy's _lerp
      const wanted = part < 0.5 ? below + (above - below) * part : above - (above - below) * (1 - part);
      const found = percentileWindow(array, { lower: percent, upper: percent, of: positive ? "positive" : "all" });
      expect(found.lower + 0).toBe(wanted + 0);
      expect(found.upper + 0).toBe(wanted + 0);
    }),
    { numRuns: 200 },
  );
});

test("percentiles tell neighbours apart in the last bit", () => {
  const next = new Float64Array([1]);
  new BigUint64Array(next.buffer)[0]! += 1n;
  const two = Float64Array.of(next[0]!, 1);
  expect(percentileWindow(two, { lower: 0, upper: 100 })).toEqual({ lower: 1, upper: next[0] });
  const close = Float32Array.of(1.0000001192092896, 1);
  expect(percentileWindow(close, { lower: 0, upper: 100 })).toEqual({ lower: 1, upper: 1.0000001192092896 });
});

test("a window never makes a brighter voxel darker", () => {
  fc.assert(
    fc.property(
      fc.int16Array({ minLength: 2, maxLength: 200 }),
      fc.integer({ min: 1, max: 4000 }),
      fc.integer({ min: -1000, max: 1000 }),
      (voxels, width, level) => {
        const grey = windowToUint8(voxels.sort(), { width, level });
        for (let n = 1; n < grey.length; n++) expect(grey[n]).toBeGreaterThanOrEqual(grey[n - 1]!);
      },
    ),
  );
});

const side = fc.integer({ min: 1, max: 40 });

test("an even plane stays even at every size, in uint8 and in logits", () => {
  fc.assert(
    fc.property(side, side, side, side, fc.integer({ min: 0, max: 255 }), (w, h, width, height, value) => {
      const grey = resizeBicubicUint8(new Uint8Array(w * h).fill(value), [w, h], [width, height]);
      expect(new Set(grey)).toEqual(new Set([value]));
      const to = [w + width, h + height] as const;
      const logits = upsampleAntialiased(new Float32Array(w * h).fill(value), [w, h], to);
      for (const logit of logits) expect(Math.abs(logit - value)).toBeLessThan(1e-4);
    }),
  );
});

test("padding keeps every pixel and adds zeros only", () => {
  fc.assert(
    fc.property(side, side, (w, h) => {
      const plane = Uint8Array.from({ length: w * h }, (_, n) => (n % 255) + 1);
      const padding = squarePadding([w, h]);
      const square = padToSquare(plane, [w, h]);
      expect(square.length).toBe(padding.side ** 2);
      expect(square.filter((pixel) => pixel !== 0)).toEqual(plane);
      const right = padding.side - w - padding.left;
      expect(right - padding.left === 0 || right - padding.left === 1).toBe(true);
    }),
  );
});
