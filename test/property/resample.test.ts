import fc from "fast-check";
import { expect, test } from "vitest";
import {
  determinant,
  fromColumns,
  invert,
  orientationOf,
  reorient,
  reorientationTo,
  resampleNearest,
  resampleTrilinear,
  restorePlane,
  transformPoint,
  type Vec3,
  type Volume,
} from "#converters/geometry/index.ts";
import { createBitVolume, planeSize, readSlice, setPlane } from "#converters/mask/index.ts";

const length = fc.integer({ min: 1, max: 6 });
const size = fc.tuple(length, length, length);
const mm = fc.double({ min: -2, max: 2, noNaN: true });
const vector = fc.tuple(mm, mm, mm);
const affine = fc
  .tuple(vector, vector, vector, vector)
  .map(([i, j, k, origin]) => fromColumns(i, j, k, origin))
  .filter((m) => Math.abs(determinant(m)) > 0.05);
const orientations = ["RAS", "LPS", "LIA", "SPL", "AIR", "IRP", "PSR", "ALS"];

function numbered([ni, nj, nk]: Vec3, ijkToLps: Volume["geometry"]["ijkToLps"]): Volume<Int16Array> {
  const voxels = Int16Array.from({ length: ni * nj * nk }, (_, n) => ((n * 7919) % 2001) - 1000);
  return {
    geometry: { size: [ni, nj, nk], ijkToLps, frameOfReferenceUid: "" },
    voxels,
    unit: "HU",
    modality: "CT",
    sources: [],
  };
}

function eachVoxel([ni, nj, nk]: Vec3, visit: (ijk: Vec3, n: number) => void): void {
  for (let k = 0, n = 0; k < nk; k++)
    for (let j = 0; j < nj; j++) for (let i = 0; i < ni; i++, n++) visit([i, j, k], n);
}

test("resampling onto any other grid gives the textbook's eight-neighbour sum at every voxel centre", () => {
  fc.assert(
    fc.property(size, affine, size, affine, (fromSize, from, ontoSize, onto) => {
      const volume = numbered(fromSize, from);
      const found = resampleTrilinear(volume, { size: ontoSize, ijkToLps: onto, frameOfReferenceUid: "" }, -7777);
      const nearest = resampleNearest(volume.voxels, volume.geometry, {
        size: ontoSize,
        ijkToLps: onto,
        frameOfReferenceUid: "",
      });
      const back = invert(from);
      eachVoxel(ontoSize, (ijk, n) => {
        const place = transformPoint(back, transformPoint(onto, ijk));
        const margin = Math.min(...place.map((x, axis) => Math.min(x + 0.5, fromSize[axis]! - 0.5 - x)));
        if (Math.abs(margin) < 1e-5) return;
        if (margin < 0) {
          expect([found[n], nearest[n]]).toEqual([-7777, 0]);
          return;
        }
        const inside = place.map((x, axis) => Math.min(Math.max(x, 0), fromSize[axis]! - 1)) as unknown as Vec3;
        let sum = 0;
        eachVoxel(fromSize, (other, m) => {
          const weight = other.reduce((w, x, axis) => w * Math.max(0, 1 - Math.abs(x - inside[axis]!)), 1);
          sum += weight * volume.voxels[m]!;
        });
        expect(Math.abs(found[n]! - sum)).toBeLessThan(1e-3);
        if (inside.every((x) => Math.abs((x % 1) - 0.5) > 1e-4)) {
          const [i, j, k] = inside.map(Math.round) as unknown as Vec3;
          expect(nearest[n]).toBe(volume.voxels[(k * fromSize[1] + j) * fromSize[0] + i]);
        }
      });
    }),
    { numRuns: 150 },
  );
});

test("onto its own grid a volume comes back as it is", () => {
  fc.assert(
    fc.property(size, affine, (voxels, ijkToLps) => {
      const volume = numbered(voxels, ijkToLps);
      const found = resampleTrilinear(volume, volume.geometry, 0);
      for (let n = 0; n < found.length; n++) expect(Math.abs(found[n]! - volume.voxels[n]!)).toBeLessThan(1e-3);
      expect(resampleNearest(volume.voxels, volume.geometry, volume.geometry)).toEqual(volume.voxels);
    }),
  );
});

test("reorienting moves no voxel in the world, and leads where it was asked to", () => {
  fc.assert(
    fc.property(size, affine, fc.constantFrom(...orientations), (voxels, ijkToLps, code) => {
      const volume = numbered(voxels, ijkToLps);
      const turned = reorient(volume, code);
      expect(orientationOf(turned.geometry)).toBe(code);
      const back = invert(volume.geometry.ijkToLps);
      eachVoxel(turned.geometry.size, (ijk, n) => {
        const place = transformPoint(back, transformPoint(turned.geometry.ijkToLps, ijk));
        const [i, j, k] = place.map(Math.round) as unknown as Vec3;
        for (const x of place) expect(Math.abs(x - Math.round(x))).toBeLessThan(1e-6);
        expect(turned.voxels[n]).toBe(volume.voxels[(k * voxels[1] + j) * voxels[0] + i]);
      });
      const again = reorient(turned, orientationOf(volume.geometry));
      expect(again.voxels).toEqual(volume.voxels);
    }),
  );
});

test("planes of a reoriented mask, put back one by one along any axis, make the original mask", () => {
  fc.assert(
    fc.property(
      size,
      affine,
      fc.constantFrom(...orientations),
      fc.constantFrom(0 as const, 1 as const, 2 as const),
      (voxels, ijkToLps, code, axis) => {
        const { geometry } = numbered(voxels, ijkToLps);
        const labels = Uint8Array.from({ length: voxels[0] * voxels[1] * voxels[2] }, (_, n) =>
          (n * 7919) % 5 < 2 ? 1 : 0,
        );
        const reorientation = reorientationTo(geometry, code);
        const turned = reorient({ geometry, voxels: labels, unit: "arbitrary", modality: "OT", sources: [] }, code);
        const turnedSize = turned.geometry.size;
        const restored = createBitVolume(voxels);
        const [width, height] = planeSize(turnedSize, axis);
        for (let index = 0; index < turnedSize[axis]; index++) {
          const pixels = new Uint8Array(width * height);
          eachVoxel(turnedSize, (ijk, n) => {
            if (ijk[axis] !== index) return;
            const [x, y] = ijk.filter((_, other) => other !== axis);
            pixels[y! * width + x!] = turned.voxels[n]!;
          });
          const plane = restorePlane(reorientation, turnedSize, { axis, index, pixels });
          setPlane(restored, plane.axis, plane.index, plane.pixels);
        }
        const found = Array.from({ length: voxels[2] }, (_, k) => [...readSlice(restored, k)]).flat();
        expect(Uint8Array.from(found)).toEqual(labels);
      },
    ),
  );
});
