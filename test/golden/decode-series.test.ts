import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openJpeg2000 } from "#converters/dicom/codec-jpeg2000.ts";
import { CorruptFrameError } from "#converters/dicom/frame-codec.ts";
import { decodeSeries, readPart10 } from "#converters/dicom/index.ts";
import { type SeriesFault, UnsupportedSeriesError } from "#converters/errors.ts";
import { determinant, type Mat4, type Vec3 } from "#converters/geometry/index.ts";
import { canonicalAffine, canonicalSize, sha256OfVoxels, toCanonical } from "../fixtures/canonical.ts";
import { dataPath, describeWithData, hasSharedData, readSeries } from "../fixtures/shared-data.ts";

/** A volume as another program read it: dcm2niix, or pydicom with gdcm where `independent`. */
interface Reading {
  readonly shape: readonly number[];
  readonly affine?: readonly (readonly number[])[];
  readonly affineRAS?: readonly (readonly number[])[];
  readonly min: number;
  readonly max: number;
  readonly sha256_ras_f32: string;
}

interface ExpectedSeries {
  readonly dcm2niix?: readonly Reading[];
  readonly independent?: Reading;
}

const expected: Readonly<Record<string, ExpectedSeries>> = hasSharedData
  ? JSON.parse(readFileSync(dataPath("expected.json"), "utf8")).series
  : {};

/** Series that must come out equal; the value names the entry of expected.json where it is not the series' own. */
const READ: Readonly<Record<string, string>> = {
  "ct_abdomen_crlm1004/dicom": "ct_abdomen_crlm1004/dicom",
  "ct_abdomen_j2k_totalseg/dicom_with_uids": "ct_abdomen_j2k_totalseg/dicom",
  "mr_t1_sag_decubitus/dicom": "mr_t1_sag_decubitus/dicom",
  "sts002_ct_pet_mr_rtstruct/CT/dicom/image": "sts002_ct_pet_mr_rtstruct/CT/dicom/image",
  "sts002_ct_pet_mr_rtstruct/MR_T1/dicom/image": "sts002_ct_pet_mr_rtstruct/MR_T1/dicom/image",
  "sts002_ct_pet_mr_rtstruct/PET/dicom/image": "sts002_ct_pet_mr_rtstruct/PET/dicom/image",
  "transfer_syntaxes_mr_dicom2nifti/anatomical/001": "transfer_syntaxes_mr_dicom2nifti/anatomical/001",
  "transfer_syntaxes_mr_dicom2nifti/anatomical/001_implicit":
    "transfer_syntaxes_mr_dicom2nifti/anatomical/001_implicit",
  "transfer_syntaxes_mr_dicom2nifti/anatomical/002_non_isotropic":
    "transfer_syntaxes_mr_dicom2nifti/anatomical/002_non_isotropic",
  "transfer_syntaxes_mr_dicom2nifti/compressed/001": "transfer_syntaxes_mr_dicom2nifti/compressed/001",
  "transfer_syntaxes_mr_dicom2nifti/compressed_j2k/001": "transfer_syntaxes_mr_dicom2nifti/compressed_j2k/001",
};

const REFUSED: Readonly<Record<string, SeriesFault>> = {
  "ct_abdomen_j2k_totalseg/dicom": "missing-identifiers",
  "enhanced_multiframe/ect": "unsupported-object",
  "enhanced_multiframe/hyperfine_mr_8frames": "unsupported-object",
  "enhanced_multiframe/philips_mr_8frames": "unsupported-object",
  "four_d/ge_dti": "several-volumes",
  "four_d/ge_fmri": "several-volumes",
  "four_d/mr_dynamic_3z_3t": "several-volumes",
  "four_d/philips_dti": "several-volumes",
  "four_d/siemens_mosaic_fmri": "unsupported-object",
  "mr_t1_enhanced_siemens_xa30/dicom": "unsupported-object",
  "odd_geometry_dicom2nifti/gantrytilting/001": "gantry-tilt",
  "odd_geometry_dicom2nifti/notavolume/001": "single-position",
  "odd_geometry_dicom2nifti/slicecount/001": "too-few-slices",
  "odd_geometry_dicom2nifti/sliceincrement/001": "missing-slice",
  "odd_geometry_dicom2nifti/sliceorientation/001": "mixed-orientation",
  "sts002_ct_pet_mr_rtstruct/CT/dicom/mask": "non-image-object",
  "sts002_ct_pet_mr_rtstruct/MR_T1/dicom/mask": "non-image-object",
  "sts002_ct_pet_mr_rtstruct/PET/dicom/mask": "non-image-object",
  "transfer_syntaxes_mr_dcm_qa_ts/In": "unsupported-object",
  "transfer_syntaxes_mr_dicom2nifti/compressed_jpeg/001": "unsupported-transfer-syntax",
  "transfer_syntaxes_mr_dicom2nifti/compressed_jpegls/001": "unsupported-transfer-syntax",
  "transfer_syntaxes_mr_dicom2nifti/compressed_rle/001": "unsupported-transfer-syntax",
  "transfer_syntaxes_mr_dicom2nifti/rgb/001": "unsupported-photometric",
};

describeWithData("real series against the readings of other programs", () => {
  test("every series of the test data is either read or refused for a listed reason", () => {
    const listed = new Set([...Object.keys(READ), ...Object.keys(REFUSED)]);
    expect(Object.keys(expected).filter((path) => !listed.has(path))).toEqual([]);
  });

  test.each(Object.entries(READ))("%s has the voxels and the affine that others found", async (path, twin) => {
    const reading = readingOf(twin);
    const { volume } = await decodeSeries(readSeries(path));
    const canonical = toCanonical(volume);
    const affine = (reading.affineRAS ?? reading.affine ?? []).flat() as unknown as Mat4;
    const shape = reading.shape as unknown as Vec3;
    expect(determinant(volume.geometry.ijkToLps)).toBeGreaterThan(0);
    expect(canonical.size).toEqual(canonicalSize(affine, shape));
    canonicalAffine(affine, shape).forEach((value, n) => {
      expect(canonical.ijkToRas[n]!).toBeCloseTo(value, 2);
    });
    expect(sha256OfVoxels(canonical)).toBe(reading.sha256_ras_f32);
  });

  test.each(Object.entries(REFUSED))("%s is refused: %s", async (path, reason) => {
    const refusal = await decodeSeries(readSeries(path)).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refusal).toBeInstanceOf(UnsupportedSeriesError);
    expect((refusal as UnsupportedSeriesError).reason).toBe(reason);
  });

  test("a JPEG 2000 frame that is cut short is damage, and the next frame is decoded as ever", async () => {
    const [file = new Uint8Array(0)] = readSeries("ct_abdomen_j2k_totalseg/dicom_with_uids");
    const { pixelData } = readPart10(file);
    const frame = pixelData !== undefined && "fragments" in pixelData ? pixelData.fragments[0]! : new Uint8Array(0);
    const shape = { rows: 512, columns: 512, bitsAllocated: 16 };
    const decode = await openJpeg2000();
    const whole = decode(frame, shape);
    for (const part of [0, 0.1, 0.5, 0.9, 0.9999]) {
      expect(() => decode(frame.slice(0, frame.length * part), shape)).toThrow(CorruptFrameError);
    }
    expect(() => decode(frame, { ...shape, rows: 256 })).toThrow(/512x512/);
    expect(decode(frame, shape)).toEqual(whole);
  });
});

function readingOf(path: string): Reading {
  const series = expected[path];
  const reading = series?.independent ?? series?.dcm2niix?.[0];
  if (reading === undefined) throw new Error(`expected.json has no reading of ${path}`);
  return reading;
}
