import fc from "fast-check";
import { expect, test } from "vitest";
import { add, fromColumns, length, subtract, transformPoint, type Vec3 } from "#converters/geometry/index.ts";
import {
  type BitVolume,
  connectedComponents,
  countBits,
  createBitVolume,
  measure,
  packBits,
  readSlice,
  setPlane,
  unpackBits,
} from "#converters/mask/index.ts";

const extent = fc.integer({ min: 1, max: 13 });

/** Masks of every density, as bits and as the list of their voxels. */
const masks = fc
  .tuple(fc.tuple(extent, extent, extent), fc.double({ min: 0, max: 1, noNaN: true }), fc.integer())
  .map(([size, density, seed]) => {
    const mask = createBitVolume(size);
    const voxels: Vec3[] = [];
    let state = seed >>> 0;
    for (let n = 0; n < size[0] * size[1] * size[2]; n++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      if (state / 2 ** 32 >= density) continue;
      mask.bits[n >> 3]! |= 1 << (n & 7);
      voxels.push([n % size[0], Math.floor(n / size[0]) % size[1], Math.floor(n / size[0] / size[1])]);
    }
    return { mask, voxels };
  });

/** Flood fill, one voxel at a time. */
function pieces(voxels: readonly Vec3[]): Vec3[][] {
  const left = new Map(voxels.map((voxel) => [voxel.join(), voxel]));
  const found: Vec3[][] = [];
  for (const seed of voxels) {
    if (!left.delete(seed.join())) continue;
    const piece = [seed];
    for (const [i, j, k] of piece) {
      for (const step of [
        [i - 1, j, k],
        [i + 1, j, k],
        [i, j - 1, k],
        [i, j + 1, k],
        [i, j, k - 1],
        [i, j, k + 1],
      ]) {
        // biome-ignore format: six faces
        const next = left.get(step.join());
        if (next && left.delete(step.join())) piece.push(next);
      }
    }
    found.push(piece);
  }
  return found.sort((a, b) => b.length - a.length);
}

const meanOf = (points: readonly Vec3[], axis: 0 | 1 | 2) =>
  points.reduce((sum, p) => sum + p[axis], 0) / points.length;
const extremes = (points: readonly Vec3[]) => ({
  min: [0, 1, 2].map((axis) => Math.min(...points.map((p) => p[axis as 0]))),
  max: [0, 1, 2].map((axis) => Math.max(...points.map((p) => p[axis as 0]))),
});

test("components are those of a flood fill through faces", () => {
  fc.assert(
    fc.property(masks, ({ mask, voxels }) => {
      const wanted = pieces(voxels);
      const found = connectedComponents(mask);
      expect(found.map((component) => component.voxels)).toEqual(wanted.map((piece) => piece.length));
      const boxes = (list: readonly unknown[]) => list.map((box) => JSON.stringify(box)).sort();
      expect(boxes(found.map(({ boxIjk }) => boxIjk))).toEqual(boxes(wanted.map(extremes)));
      const centre = (points: readonly number[]) => points.reduce((a, b) => a + b, 0);
      expect(centre(found.map((c) => c.voxels * centre(c.centroidIjk)))).toBeCloseTo(centre(voxels.map(centre)), 6);
    }),
    { numRuns: 300 },
  );
});

test("measures on an oblique grid are those of the transformed voxel centres", () => {
  const mm = fc.double({ min: -3, max: 3, noNaN: true });
  const vector = fc.tuple(mm, mm, mm);
  fc.assert(
    fc.property(masks, vector, vector, vector, vector, ({ mask, voxels }, i, j, k, origin) => {
      fc.pre(voxels.length > 0);
      const ijkToLps = fromColumns(i, j, k, origin);
      const { size } = mask;
      const found = measure(mask, { size, ijkToLps, frameOfReferenceUid: "" }, { atMost: 1 });
      const points = voxels.map((voxel) => transformPoint(ijkToLps, voxel));
      expect(found.voxels).toBe(voxels.length);
      expect(found.slices).toEqual([...new Set(voxels.map((voxel) => voxel[2]))].sort((a, b) => a - b));
      const { min, max } = extremes(points);
      for (const axis of [0, 1, 2] as const) {
        expect(found.box!.min[axis]).toBeCloseTo(min[axis]!, 9);
        expect(found.box!.max[axis]).toBeCloseTo(max[axis]!, 9);
      }
      const wanted = pieces(voxels);
      expect(found.componentCount).toBe(wanted.length);
      if (wanted.length === 1) {
        for (const axis of [0, 1, 2] as const) {
          expect(found.components[0]!.centroidLps[axis]).toBeCloseTo(meanOf(points, axis), 9);
        }
      }
    }),
  );
});

test("a piece's diameter, box and mean are those of its own voxels, each looked at", () => {
  const mm = fc.double({ min: 0.5, max: 3, noNaN: true });
  fc.assert(
    fc.property(masks, mm, mm, mm, fc.boolean(), ({ mask, voxels }, x, y, z, sagittal) => {
      const { size } = mask;
      // k runs from feet to head, or j does.
      const ijkToLps = sagittal
        ? fromColumns([0, x, 0], [0, 0, y], [z, 0, 0], [1, 2, 3])
        : fromColumns([x, 0, 0], [0, y, 0], [0, 0, z], [1, 2, 3]);
      const values = Int16Array.from({ length: size[0] * size[1] * size[2] }, (_, n) => (n * 7919) % 1000);
      const at = ([i, j, k]: Vec3) => values[(k * size[1] + j) * size[0] + i]!;
      const { components } = measure(mask, { size, ijkToLps, frameOfReferenceUid: "" }, { atMost: 1000, values });
      const normal = sagittal ? 1 : 2;
      const edges = [0, 1, 2]
        .filter((axis) => axis !== normal)
        .flatMap((axis) =>
          [-0.5, 0.5].map((half): Vec3 => [axis === 0 ? half : 0, axis === 1 ? half : 0, axis === 2 ? half : 0]),
        );
      const wanted = pieces(voxels).map((piece) => {
        let longest = 0;
        for (const a of piece) {
          for (const b of piece) {
            if (a[normal] !== b[normal]) continue;
            for (const ea of edges) {
              for (const eb of edges) {
                const [p, q] = [transformPoint(ijkToLps, add(a, ea)), transformPoint(ijkToLps, add(b, eb))];
                longest = Math.max(longest, length(subtract(p, q)));
              }
            }
          }
        }
        return { box: extremes(piece), longest, mean: piece.reduce((sum, voxel) => sum + at(voxel), 0) / piece.length };
      });
      const sorted = (list: readonly string[]) => list.toSorted();
      const round = (value: number) => value.toFixed(6);
      expect(
        sorted(
          components.map(({ boxIjk, longestAxialDiameter, meanValue }) =>
            JSON.stringify([boxIjk, round(longestAxialDiameter.mm), round(meanValue!)]),
          ),
        ),
      ).toEqual(sorted(wanted.map(({ box, longest, mean }) => JSON.stringify([box, round(longest), round(mean)]))));
    }),
    { numRuns: 100 },
  );
});

test("what is packed at any bit offset is unpacked, and no other bit changes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(0, 1), { maxLength: 70 }),
      fc.uint8Array({ minLength: 12, maxLength: 12 }),
      fc.nat({ max: 26 }),
      (source, before, offset) => {
        const bits = Uint8Array.from(before);
        packBits(Uint8Array.from(source), bits, offset);
        expect([...unpackBits(bits, offset, source.length)]).toEqual(source);
        const end = offset + source.length;
        expect(unpackBits(bits, 0, offset)).toEqual(unpackBits(before, 0, offset));
        expect(unpackBits(bits, end, 96 - end)).toEqual(unpackBits(before, end, 96 - end));
        expect(countBits(bits, offset, end)).toBe(source.filter((bit) => bit === 1).length);
      },
    ),
  );
});

test("a mask written plane by plane along any axis reads back slice by slice", () => {
  fc.assert(
    fc.property(masks, fc.constantFrom(0 as const, 1 as const, 2 as const), ({ mask, voxels }, axis) => {
      const { size } = mask;
      const [across, down] = [0, 1, 2].filter((other) => other !== axis) as [0 | 1, 1 | 2];
      const copy: BitVolume = createBitVolume(size);
      for (let index = 0; index < size[axis]; index++) {
        const plane = new Uint8Array(size[across] * size[down]);
        for (const voxel of voxels) {
          if (voxel[axis] === index) plane[voxel[down] * size[across] + voxel[across]] = 255;
        }
        setPlane(copy, axis, index, plane);
      }
      expect(copy).toEqual(mask);
      const [ni, nj, nk] = size;
      const dirty = new Uint8Array(ni * nj).fill(9);
      for (let k = 0; k < nk; k++) {
        readSlice(copy, k, dirty);
        const wanted = new Uint8Array(ni * nj);
        for (const voxel of voxels) if (voxel[2] === k) wanted[voxel[1] * ni + voxel[0]] = 1;
        expect(dirty).toEqual(wanted);
      }
    }),
  );
});
