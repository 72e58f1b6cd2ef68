import fc from "fast-check";
import { expect, test } from "vitest";
import type { Vec3 } from "#converters/geometry/index.ts";
import { agreement, squaredDistances } from "#converters/mask/index.ts";
import { surfelAreas } from "#converters/mask/surfel-areas.ts";
import { bitsOf, gridOf, noise } from "../fixtures/agreement-cases.ts";

const extent = fc.integer({ min: 1, max: 9 });
const sizes = fc.tuple(extent, extent, extent).map((size): Vec3 => size);
const step = fc.double({ min: 0.3, max: 5, noNaN: true });
const spacings = fc.tuple(step, step, step).map((spacing): Vec3 => spacing);
const densities = fc.double({ min: 0, max: 1, noNaN: true });
const seeds = fc.integer();

test("the distance transform finds what looking at every marked point finds", () => {
  fc.assert(
    fc.property(sizes, spacings, densities, seeds, (size, spacing, density, seed) => {
      const marked = noise(size, density, seed);
      const at = (n: number): Vec3 => [
        n % size[0],
        Math.floor(n / size[0]) % size[1],
        Math.floor(n / size[0] / size[1]),
      ];
      const points = [...marked.keys()].filter((n) => marked[n]).map(at);
      const found = squaredDistances(marked, size, spacing);
      for (let n = 0; n < marked.length; n++) {
        const here = at(n);
        const square = (there: Vec3) =>
          there.reduce((sum, v, axis) => sum + ((v - here[axis]!) * spacing[axis]!) ** 2, 0);
        const nearest = points.reduce((least, there) => Math.min(least, square(there)), Number.POSITIVE_INFINITY);
        if (points.length === 0) expect(found[n]).toBe(nearest);
        else expect(Math.abs(found[n]! - nearest)).toBeLessThanOrEqual(1e-9 * (1 + nearest));
      }
    }),
    { numRuns: 60 },
  );
});

test("a mask agrees with itself, both ways round alike with another, and alike in a larger volume", () => {
  fc.assert(
    fc.property(sizes, spacings, densities, densities, seeds, (size, spacing, dense, sparse, seed) => {
      const [a, b] = [noise(size, dense, seed), noise(size, sparse, seed + 1)];
      const of = (one: Uint8Array, other: Uint8Array, within = size) =>
        agreement(bitsOf(within, one), bitsOf(within, other), gridOf(within, spacing), 1);
      if (a.includes(1)) expect(of(a, a)).toMatchObject({ dice: 1, surfaceDice: 1, hd95Mm: 0, volumeErrorMl: 0 });
      const [there, back] = [of(a, b), of(b, a)];
      expect(back.dice).toBe(there.dice);
      expect(back.hd95Mm).toBe(there.hd95Mm);
      if (there.surfaceDice !== undefined) expect(back.surfaceDice).toBeCloseTo(there.surfaceDice, 9);
      expect(back.volumeErrorMl).toBeCloseTo(-there.volumeErrorMl, 9);

      const larger: Vec3 = [size[0] + 3, size[1] + 2, size[2] + 1];
      const placed = (mask: Uint8Array) => {
        const out = new Uint8Array(larger[0] * larger[1] * larger[2]);
        for (let n = 0; n < mask.length; n++) {
          const [i, j, k] = [n % size[0], Math.floor(n / size[0]) % size[1], Math.floor(n / size[0] / size[1])];
          out[((k + 1) * larger[1] + j + 1) * larger[0] + i + 2] = mask[n]!;
        }
        return out;
      };
      const moved = of(placed(a), placed(b), larger);
      expect(moved.dice).toBe(there.dice);
      if (there.surfaceDice !== undefined) expect(moved.surfaceDice).toBeCloseTo(there.surfaceDice, 9);
      if (Number.isFinite(there.hd95Mm)) expect(moved.hd95Mm).toBeCloseTo(there.hd95Mm!, 9);
    }),
    { numRuns: 100 },
  );
});

test("what is inside and what outside makes no difference to a surface's area, nor does mirroring", () => {
  fc.assert(
    fc.property(spacings, fc.integer({ min: 0, max: 255 }), (spacing, code) => {
      const areas = surfelAreas(spacing);
      const mirrored = ((code & 0x55) << 1) | ((code & 0xaa) >> 1);
      expect(areas[255 - code]).toBe(areas[code]);
      expect(areas[mirrored]).toBeCloseTo(areas[code]!, 12);
      expect(areas[code]! > 0).toBe(code !== 0 && code !== 255);
    }),
  );
});
