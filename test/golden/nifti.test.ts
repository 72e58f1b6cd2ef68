import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { UnsupportedImageError } from "#converters/errors.ts";
import { flipLpsRas, orientationOf, reorient, type Volume } from "#converters/geometry/index.ts";
import { isNifti, readNifti, readNiftiPair } from "#converters/nifti/index.ts";
import { dataPath, describeWithData } from "../fixtures/shared-data.ts";

interface Expected {
  readonly shape: readonly number[];
  readonly axcodes: string;
  readonly affine: readonly (readonly number[])[];
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly sha256_ras_f32: string;
}

describeWithData("NIfTI files of other programs, as nibabel reads them", () => {
  const bytesOf = (path: string) => new Uint8Array(readFileSync(dataPath(path)));
  const expected: Record<string, Expected> = existsSync(dataPath("expected.json"))
    ? JSON.parse(readFileSync(dataPath("expected.json"), "utf8")).nifti
    : {};

  test("all forty are there", () => {
    expect(Object.keys(expected)).toHaveLength(40);
  });

  test.each(Object.entries(expected))("%s: affine, values and canonical voxels are equal", (path, wanted) => {
    const bytes = bytesOf(path);
    expect(isNifti(bytes)).toBe(true);
    const volumes = wanted.shape.slice(3).reduce((product, length) => product * length, 1);
    const hash = createHash("sha256");
    let [min, max, sum, count] = [Infinity, -Infinity, 0, 0];
    for (let volumeIndex = 0; volumeIndex < volumes; volumeIndex++) {
      const volume: Volume = readNifti(bytes, { volumeIndex });
      expect(volume.geometry.size).toEqual(wanted.shape.slice(0, 3));
      expect(volume.voxels).toHaveLength(wanted.shape.slice(0, 3).reduce((a, b) => a * b));
      const ras = flipLpsRas(volume.geometry.ijkToLps);
      for (const [n, value] of wanted.affine.flat().entries()) expect(ras[n]).toBeCloseTo(value, 5);
      expect(orientationOf(volume.geometry)).toBe(wanted.axcodes);
      const canonical = new Float32Array(reorient(volume, "RAS").voxels);
      hash.update(canonical);
      for (const value of canonical) {
        if (value < min) min = value;
        if (value > max) max = value;
        sum += value;
      }
      count += canonical.length;
    }
    expect(hash.digest("hex")).toBe(wanted.sha256_ras_f32);
    expect([min, max]).toEqual([Math.fround(wanted.min), Math.fround(wanted.max)]);
    expect(sum / count).toBeCloseTo(wanted.mean, 4);
  });

  test("a file of several volumes is refused until one is chosen, and says how many there are", () => {
    const bytes = bytesOf("nifti_variants/nibabel/functional.nii");
    expect(() => readNifti(bytes)).toThrow(/20 volumes.*0 to 19/);
    expect(() => readNifti(bytes, { volumeIndex: 20 })).toThrow(UnsupportedImageError);
  });

  test.each(["air", "air2"])("%s.hdr.gz and %s.img.gz are read together", (name) => {
    const [header, image] = ["hdr", "img"].map((end) => bytesOf(`nifti_variants/nifti_reader_js/${name}.${end}.gz`));
    const volume = readNiftiPair(header!, image!);
    expect(volume.voxels.length).toBeGreaterThan(0);
  });
});
