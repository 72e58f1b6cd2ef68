import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  flipLpsRas,
  fromColumns,
  type Mat4,
  orientationOf,
  reorient,
  type Vec3,
  type Voxels,
} from "#converters/geometry/index.ts";
import { readNifti, readNiftiPair, writeNifti } from "#converters/nifti/index.ts";
import { openNibabel } from "../fixtures/nibabel.ts";

const nibabel = openNibabel();

describe.skipIf(!nibabel)("nibabel and we agree to the bit", () => {
  const folder = mkdtempSync(join(tmpdir(), "parse3d-nifti-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
  const bytesOf = ({ buffer, byteOffset, byteLength }: Voxels) => new Uint8Array(buffer, byteOffset, byteLength);

  test("it reads what we write: voxels, kind, affine, qform, unit and description", () => {
    const c = Math.cos(0.3);
    const s = Math.sin(0.3);
    const affines: Mat4[] = [
      fromColumns([0.7, 0, 0], [0, 0.7, 0], [0, 0, 5], [-180, -200, 77]),
      fromColumns([0.9 * c, 0.9 * s, 0], [-1.1 * s, 1.1 * c, 0], [0, 0, -3], [10, 20, 30]),
      fromColumns([0, -2, 0], [0, 0, -2], [2, 0, 0], [1, 2, 3]),
      fromColumns([-1, 0, 0], [0, -1, 0], [0, 0, 1], [0, 0, 0]),
      fromColumns([1, 0, 0], [0.3, 1, 0], [0, 0, 1], [0, 0, 0]),
    ];
    const kinds = {
      int8: Int8Array,
      uint8: Uint8Array,
      int16: Int16Array,
      uint16: Uint16Array,
      int32: Int32Array,
      uint32: Uint32Array,
      float32: Float32Array,
      float64: Float64Array,
    };
    const written = affines.flatMap((ijkToLps, a) =>
      Object.entries(kinds).map(([dtype, kind], n) => {
        const size: Vec3 = n === 3 ? [40000, 1, 2] : [7, 5, 3];
        const count = size[0] * size[1] * size[2];
        const step = dtype.startsWith("float") ? 1 / 7 : 37;
        const voxels: Voxels = kind.from(Array.from({ length: count }, (_, v) => v * step - 50));
        const gzip = n % 2 === 0;
        const path = join(folder, `${a}-${dtype}.nii${gzip ? ".gz" : ""}`);
        writeFileSync(path, writeNifti({ geometry: { size, ijkToLps, frameOfReferenceUid: "" }, voxels }, { gzip }));
        return { path, size, dtype, ijkToLps, voxels, sheared: a === 4 };
      }),
    );
    const found = nibabel!("read", ...written.map(({ path }) => path));
    for (const [n, { path, size, dtype, ijkToLps, voxels, sheared }] of written.entries()) {
      const image = found[n]!;
      expect(image).toMatchObject({ path, shape: size, dtype, units: "mm" });
      expect(image.sha256).toBe(sha256(bytesOf(voxels)));
      expect(image.description).toBe("Parse3D, research use only");
      // NIfTI-1 keeps float32, NIfTI-2 float64.
      const kept = (value: number) => (size[0] > 32767 ? value : Math.fround(value)) + 0;
      const ras = flipLpsRas(ijkToLps);
      expect(image.affine.map((value) => value + 0)).toEqual(ras.map(kept));
      expect(image.codes).toEqual({ qform: sheared ? 0 : 1, sform: 1 });
      for (const [m, value] of (image.qform ?? ras).entries()) expect(Math.abs(value - ras[m]!)).toBeLessThan(1e-5);
    }
  });

  test("we read what it writes: kinds, byte orders, scaling, pairs, extensions, qform alone, neither form, shear", () => {
    const images = nibabel!("write", folder);
    expect(images.length).toBeGreaterThan(45);
    for (const image of images) {
      const bytes = new Uint8Array(readFileSync(image.path));
      const volume = image.path.endsWith(".img")
        ? readNiftiPair(new Uint8Array(readFileSync(image.path.replace(/img$/, "hdr"))), bytes)
        : readNifti(bytes);
      expect(volume.geometry.size).toEqual(image.shape);
      const ras = flipLpsRas(volume.geometry.ijkToLps);
      for (const [n, value] of image.affine.entries()) expect(Math.abs(ras[n]! - value)).toBeLessThan(1e-5);
      expect(orientationOf(volume.geometry), image.path).toBe(image.axcodes);
      if (image.path.includes("scaled")) {
        expect(sha256(bytesOf(volume.voxels)), image.path).toBe(image.sha256_f32);
        continue;
      }
      expect(sha256(bytesOf(Float64Array.from(volume.voxels))), image.path).toBe(image.sha256_f64);
      const canonical = Float64Array.from(reorient(volume, "RAS").voxels);
      expect(sha256(bytesOf(canonical)), image.path).toBe(image.sha256_ras_f64);
    }
  });
});
