import fc from "fast-check";
import { expect, test } from "vitest";
import { UnsupportedImageError } from "#converters/errors.ts";
import { determinant, fromColumns, type Mat4, type Vec3, type Voxels } from "#converters/geometry/index.ts";
import { readNifti, writeNifti } from "#converters/nifti/index.ts";

const float32 = fc.float({ min: -400, max: 400, noNaN: true });
const vector = fc.tuple(float32, float32, float32);
/** Part of a voxel's side: shorter than what is refused as no scanner's. */
const short = fc.float({ min: -100, max: 100, noNaN: true });
const side = fc.tuple(short, short, short);
const affine = fc
  .tuple(side, side, side, vector)
  .map(([i, j, k, origin]) => fromColumns(i, j, k, origin))
  .filter((m) => Math.abs(determinant(m)) > 1);

/** Rotations from unit quaternions, with voxel sizes, mirrored or not. */
const rotated = fc
  .tuple(
    fc
      .tuple(...[0, 1, 2, 3].map(() => fc.double({ min: -1, max: 1, noNaN: true })))
      .filter((q) => Math.hypot(...q) > 0.1),
    fc.tuple(...[0, 1, 2].map(() => fc.double({ min: 0.1, max: 5, noNaN: true }))),
    fc.boolean(),
    vector,
  )
  .map(([q, [si, sj, sk], mirrored, origin]): Mat4 => {
    const [a, b, c, d] = q.map((part) => part / Math.hypot(...q)) as [number, number, number, number];
    const scaled = (direction: Vec3, by: number): Vec3 => [direction[0] * by, direction[1] * by, direction[2] * by];
    return fromColumns(
      scaled([a * a + b * b - c * c - d * d, 2 * (b * c + a * d), 2 * (b * d - a * c)], si!),
      scaled([2 * (b * c - a * d), a * a + c * c - b * b - d * d, 2 * (c * d + a * b)], sj!),
      scaled([2 * (b * d + a * c), 2 * (c * d - a * b), a * a + d * d - b * b - c * c], mirrored ? -sk! : sk!),
      origin,
    );
  });

const kinds = [
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
] as const;
const length = fc.integer({ min: 1, max: 5 });

test("what is written reads back: voxels and their kind to the bit, the affine to float32", () => {
  fc.assert(
    fc.property(
      fc.tuple(length, length, length),
      fc.oneof(affine, rotated),
      fc.constantFrom(...kinds),
      fc.infiniteStream(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
      fc.boolean(),
      (size, ijkToLps, kind, values, gzip) => {
        const voxels: Voxels = kind.from(values.take(size[0] * size[1] * size[2]));
        const file = writeNifti({ geometry: { size, ijkToLps, frameOfReferenceUid: "" }, voxels }, { gzip });
        const volume = readNifti(file);
        expect(volume.voxels).toEqual(voxels);
        expect(volume.geometry.size).toEqual(size);
        expect(volume.geometry.ijkToLps.map((value) => value + 0)).toEqual(
          ijkToLps.map((value) => Math.fround(value) + 0),
        );
      },
    ),
  );
});

test("the qform alone says the same as the sform, where the axes are at right angles", () => {
  fc.assert(
    fc.property(rotated, (ijkToLps) => {
      const geometry = { size: [1, 1, 1], ijkToLps, frameOfReferenceUid: "" } as const;
      const file = writeNifti({ geometry, voxels: Uint8Array.of(1) });
      const header = new DataView(file.buffer);
      expect(header.getInt16(252, true)).toBe(1);
      header.setInt16(254, 0, true);
      const rest = [256, 260, 264].reduce((sum, at) => sum - header.getFloat32(at, true) ** 2, 1);
      // The first number of the quaternion is left to be computed: near 180 degrees float32 hardly determines it.
      const tolerance = rest > 0.01 ? 2e-5 : 1e-2;
      for (const [n, value] of readNifti(file).geometry.ijkToLps.entries()) {
        expect(Math.abs(value - ijkToLps[n]!)).toBeLessThan(n % 4 === 3 ? 1e-4 : tolerance);
      }
    }),
    { numRuns: 1000 },
  );
});

test("a file with bytes changed anywhere reads or is refused by name, and never fails otherwise", () => {
  const geometry = {
    size: [7, 5, 3],
    ijkToLps: fromColumns([1, 0, 0], [0, 1, 0], [0, 0, 2], [0, 0, 0]),
    frameOfReferenceUid: "",
  } as const;
  const voxels = Int16Array.from({ length: 105 }, (_, n) => n);
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { minLength: 1, maxLength: 12 }),
      fc.nat(700),
      (gzip, changes, end) => {
        const file = writeNifti({ geometry, voxels }, { gzip });
        for (const [at, value] of changes) file[at % file.length] = value;
        try {
          const volume = readNifti(end > 600 ? file : file.subarray(0, end), { maxVoxels: 1e6, volumeIndex: 0 });
          const [ni, nj, nk] = volume.geometry.size;
          expect(volume.voxels.length).toBe(ni * nj * nk);
        } catch (error) {
          expect(error).toBeInstanceOf(UnsupportedImageError);
        }
      },
    ),
    { numRuns: 2000 },
  );
});
