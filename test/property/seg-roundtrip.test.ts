import fc from "fast-check";
import { expect, test } from "vitest";
import { checkSeg, decodeSeg, encodeSeg, maskOnto, segToLabelVolume } from "#converters/dicom/index.ts";
import { fromColumns, type Mat4, transformPoint, type Vec3, type VolumeGeometry } from "#converters/geometry/index.ts";
import { type BitVolume, createBitVolume } from "#converters/mask/index.ts";
import { FRAME_OF_REFERENCE, segInput, segmentOf } from "../fixtures/seg-cases.ts";

const sizes = fc.tuple(
  fc.integer({ min: 1, max: 13 }),
  fc.integer({ min: 1, max: 11 }),
  fc.integer({ min: 1, max: 6 }),
);

/** Right-angled axes turned any way by a random unit quaternion, of either handedness. */
const affines: fc.Arbitrary<Mat4> = fc
  .record({
    turn: fc.tuple(unit(), unit(), unit(), unit()).filter((q) => Math.hypot(...q) > 0.1),
    spacing: fc.tuple(mm(), mm(), mm()),
    origin: fc.tuple(coordinate(), coordinate(), coordinate()),
    leftHanded: fc.boolean(),
  })
  .map(({ turn, spacing, origin, leftHanded }) => {
    const length = Math.hypot(...turn);
    const [w, x, y, z] = turn.map((part) => part / length) as [number, number, number, number];
    const columns: [Vec3, Vec3, Vec3] = [
      [1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)],
      [2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w)],
      [2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y)],
    ];
    const scaled = columns.map((column, axis) =>
      column.map((part) => part * spacing[axis as 0]! * (axis === 2 && leftHanded ? -1 : 1)),
    ) as unknown as [Vec3, Vec3, Vec3];
    return fromColumns(...scaled, origin);
  });

function unit() {
  return fc.double({ min: -1, max: 1, noNaN: true });
}
function mm() {
  return fc.double({ min: 0.1, max: 12, noNaN: true });
}
function coordinate() {
  return fc.double({ min: -500, max: 500, noNaN: true });
}

/** Masks of one size, sparse or dense, at least one of them with a voxel. */
function masksOf(size: Vec3): fc.Arbitrary<readonly BitVolume[]> {
  const voxels = size[0] * size[1] * size[2];
  const mask = fc.array(fc.integer({ min: 0, max: voxels - 1 }), { maxLength: 60 }).map((set) => {
    const volume = createBitVolume(size);
    for (const n of set) volume.bits[n >>> 3]! |= 1 << (n & 7);
    return volume;
  });
  return fc
    .array(mask, { minLength: 1, maxLength: 4 })
    .filter((masks) => masks.some(({ bits }) => bits.some((byte) => byte !== 0)));
}

const cases = fc.tuple(sizes, affines).chain(([size, ijkToLps]) =>
  fc.record({
    geometry: fc.constant<VolumeGeometry>({ size, ijkToLps, frameOfReferenceUid: FRAME_OF_REFERENCE }),
    masks: masksOf(size),
  }),
);

test("masks written as a SEG and read back onto their grid are the same masks", () => {
  fc.assert(
    fc.property(cases, ({ geometry, masks }) => {
      const input = segInput(
        geometry,
        masks.map((mask, n) => segmentOf(`segment ${n}`, mask, n)),
      );
      const bytes = encodeSeg(input);
      checkSeg(bytes, input);
      const seg = decodeSeg(bytes);
      for (const [n, mask] of masks.entries()) {
        expect(Buffer.compare(maskOnto(seg, n + 1, geometry).bits, mask.bits)).toBe(0);
      }
    }),
    { numRuns: 200 },
  );
});

test("a grid whose rows, columns or slices run the other way takes the same voxels", () => {
  fc.assert(
    fc.property(cases, fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()), ({ geometry, masks }, flips) => {
      const input = segInput(geometry, [
        segmentOf("thing", masks.find(({ bits }) => bits.some((byte) => byte !== 0))!),
      ]);
      const mirrored = mirror(geometry, flips);
      const mask = maskOnto(decodeSeg(encodeSeg(input)), 1, mirrored);
      const { size } = geometry;
      for (let k = 0; k < size[2]; k++)
        for (let j = 0; j < size[1]; j++)
          for (let i = 0; i < size[0]; i++) {
            const there = [i, j, k].map((index, axis) => (flips[axis as 0] ? size[axis as 0]! - 1 - index : index)) as [
              number,
              number,
              number,
            ];
            expect(bitAt(mask, there)).toBe(bitAt(input.segments[0]!.mask, [i, j, k]));
          }
    }),
    { numRuns: 60 },
  );
});

test("a label map has every voxel of the mask at its place in the patient, and no other", () => {
  fc.assert(
    fc.property(cases, ({ geometry, masks }) => {
      const mask = masks.find(({ bits }) => bits.some((byte) => byte !== 0))!;
      const { volume } = segToLabelVolume(decodeSeg(encodeSeg(segInput(geometry, [segmentOf("thing", mask)]))));
      const labelled = places(volume.geometry, (n) => volume.voxels[n] === 1);
      const written = places(geometry, (n) => ((mask.bits[n >>> 3]! >>> (n & 7)) & 1) === 1);
      expect(labelled).toHaveLength(written.length);
      for (const point of written) {
        expect(labelled.some((other) => Math.hypot(...point.map((mm, a) => mm - other[a as 0]!)) < 1e-2)).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
});

test("a label map on the grid of the series holds each mask's voxels, whichever way that grid runs", () => {
  fc.assert(
    fc.property(cases, fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()), ({ geometry, masks }, flips) => {
      const seg = decodeSeg(
        encodeSeg(
          segInput(
            geometry,
            masks.map((mask, n) => segmentOf(`segment ${n}`, mask, n)),
          ),
        ),
      );
      const onto = mirror(geometry, flips);
      const { volume } = segToLabelVolume(seg, onto);
      expect(volume.geometry).toBe(onto);
      const alone = masks.map((_, n) => maskOnto(seg, n + 1, onto));
      const highest = volume.voxels.findIndex((label, v) => {
        const last = alone.findLastIndex(({ bits }) => ((bits[v >>> 3]! >>> (v & 7)) & 1) === 1);
        return label !== last + 1;
      });
      expect(highest).toBe(-1);
    }),
    { numRuns: 60 },
  );
});

function places({ size: [ni, nj, nk], ijkToLps }: VolumeGeometry, isSet: (n: number) => boolean): Vec3[] {
  const found: Vec3[] = [];
  for (let k = 0, n = 0; k < nk; k++)
    for (let j = 0; j < nj; j++)
      for (let i = 0; i < ni; i++, n++) if (isSet(n)) found.push(transformPoint(ijkToLps, [i, j, k]));
  return found;
}

function bitAt({ size, bits }: BitVolume, [i, j, k]: Vec3): number {
  const n = (k * size[1] + j) * size[0] + i;
  return (bits[n >>> 3]! >>> (n & 7)) & 1;
}

function mirror(geometry: VolumeGeometry, flips: readonly [boolean, boolean, boolean]): VolumeGeometry {
  const { size, ijkToLps } = geometry;
  const corner = flips.map((flip, axis) => (flip ? size[axis as 0]! - 1 : 0)) as unknown as Vec3;
  const origin = transformPoint(ijkToLps, corner);
  const columns = ([0, 1, 2] as const).map((c) => {
    const sign = flips[c] ? -1 : 1;
    return [ijkToLps[c] * sign, ijkToLps[(c + 4) as 4] * sign, ijkToLps[(c + 8) as 8] * sign] as Vec3;
  }) as unknown as [Vec3, Vec3, Vec3];
  return { ...geometry, ijkToLps: fromColumns(...columns, origin) };
}
