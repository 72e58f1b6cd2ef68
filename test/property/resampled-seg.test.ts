import fc from "fast-check";
import { expect, test } from "vitest";
import { checkSeg, decodeSeg, decodeSeries, encodeSeg, maskOnSlices, maskOnto } from "#converters/dicom/index.ts";
import { cross, invert, length, transformPoint, type Vec3 } from "#converters/geometry/index.ts";
import { createBitVolume } from "#converters/mask/index.ts";
import { segInput, segmentOf } from "../fixtures/seg-cases.ts";
import { unevenSeries } from "../fixtures/uneven-series.ts";

const part = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const direction = fc.tuple(part(-1, 1), part(-1, 1), part(-1, 1));

/** Parallel slices that go up by some 2 mm, and drift. */
const placements = fc
  .record({
    row: direction,
    column: direction,
    spacing: fc.tuple(part(0.5, 1.5), part(0.5, 1.5)),
    steps: fc.array(fc.tuple(part(-0.5, 0.5), part(-0.5, 0.5), part(1.5, 4)), { minLength: 4, maxLength: 9 }),
    seed: fc.integer(),
  })
  .filter(({ row, column }) => {
    const across = length(cross(row, column));
    return across > 0.1 && across > 0.2 * length(row) * length(column);
  })
  .map(({ steps, ...rest }) => {
    const firsts: Vec3[] = [[0, 0, 0]];
    for (const [i, j, k] of steps) {
      const [across, down, up] = firsts.at(-1)!;
      firsts.push([across + i, down + j, up + k]);
    }
    return { ...rest, firsts };
  });

test("each pixel of a frame is the voxel of the regular grid that it lies in, wherever slices lie", async () => {
  await fc.assert(
    fc.asyncProperty(placements, async ({ seed, ...placement }) => {
      const given = unevenSeries(placement, 1);
      const { volume, header } = await decodeSeries(given.instances, { resample: true });
      const { stack, geometry } = volume;
      if (!stack) return;
      const mask = createBitVolume(geometry.size);
      for (let n = 0; n < mask.bits.length; n++) mask.bits[n] = Math.imul(n ^ seed, 2_654_435_761) >>> 24;
      const input = {
        ...segInput(stack.geometry, [segmentOf("noise", maskOnSlices(mask, stack))]),
        header,
        sources: stack.sources,
        uneven: true,
      };
      const part10 = encodeSeg(input);
      checkSeg(part10, input);
      const read = maskOnto(decodeSeg(part10), 1, stack);
      const lpsToIjk = invert(geometry.ijkToLps);
      const [columns, rows, slices] = read.size;
      for (let n = 0, pixel = 0; n < slices; n++)
        for (let j = 0; j < rows; j++)
          for (let i = 0; i < columns; i++, pixel++) {
            const at = transformPoint(lpsToIjk, given.place(i, j, n));
            // Half way between two voxels either may be taken.
            if (at.some((part) => Math.abs(Math.abs(part - Math.floor(part)) - 0.5) < 1e-3)) continue;
            const [x, y, z] = at.map(Math.round) as unknown as Vec3;
            const voxel = (z * geometry.size[1] + y) * geometry.size[0] + x;
            const found = (read.bits[pixel >>> 3]! >>> (pixel & 7)) & 1;
            if (found !== ((mask.bits[voxel >>> 3]! >>> (voxel & 7)) & 1))
              expect.fail(`pixel ${i}, ${j} of slice ${n}`);
          }
    }),
    { numRuns: 60 },
  );
});
