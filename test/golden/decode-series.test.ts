import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openJpeg2000 } from "#converters/dicom/codec-jpeg2000.ts";
import { CorruptFrameError } from "#converters/dicom/frame-codec.ts";
import { decodeSeries, firstNumber, items, readPart10 } from "#converters/dicom/index.ts";
import { type SeriesFault, UnsupportedSeriesError } from "#converters/errors.ts";
import { determinant, type Mat4, type Vec3 } from "#converters/geometry/index.ts";
import { readNifti } from "#converters/nifti/index.ts";
import {
  type CanonicalVolume,
  canonicalAffine,
  canonicalSize,
  sha256OfVoxels,
  toCanonical,
} from "../fixtures/canonical.ts";
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
  "enhanced_multiframe/hyperfine_mr_8frames": "enhanced_multiframe/hyperfine_mr_8frames",
  "mr_t1_enhanced_siemens_xa30/dicom": "mr_t1_enhanced_siemens_xa30/dicom",
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
  "transfer_syntaxes_mr_dicom2nifti/compressed_jpeg/001": "transfer_syntaxes_mr_dicom2nifti/compressed_jpeg/001",
  "transfer_syntaxes_mr_dicom2nifti/compressed_jpegls/001": "transfer_syntaxes_mr_dicom2nifti/compressed_jpeg/001",
  "transfer_syntaxes_mr_dicom2nifti/compressed_rle/001": "transfer_syntaxes_mr_dicom2nifti/compressed_rle/001",
};

/** Series of several volumes, as dcm2niix orders them: how many there are, and what tells them apart. */
const SEVERAL: Readonly<Record<string, readonly [volumes: number, toldApartBy: RegExp]>> = {
  "four_d/ge_dti": [2, /b-value/],
  "four_d/ge_fmri": [2, /instance number/],
  "four_d/mr_dynamic_3z_3t": [3, /acquisition/],
};

/** Read with values of its own; what they are beside dcm2niix's is tested below. */
const PHILIPS = "enhanced_multiframe/philips_mr_8frames";
/** Nine encodings of one mosaic, each a file. */
const MOSAICS = "transfer_syntaxes_mr_dcm_qa_ts/In";

const REFUSED: Readonly<Record<string, SeriesFault>> = {
  "ct_abdomen_j2k_totalseg/dicom": "missing-identifiers",
  // Two frames.
  "enhanced_multiframe/ect": "too-few-slices",
  // Two slices at each of four times.
  "four_d/philips_dti": "too-few-slices",
  // Its CSA header, which says on which side the slices lie, was removed.
  "four_d/siemens_mosaic_fmri": "unsupported-object",
  "odd_geometry_dicom2nifti/gantrytilting/001": "gantry-tilt",
  "odd_geometry_dicom2nifti/notavolume/001": "single-position",
  "odd_geometry_dicom2nifti/slicecount/001": "too-few-slices",
  "odd_geometry_dicom2nifti/sliceincrement/001": "missing-slice",
  "odd_geometry_dicom2nifti/sliceorientation/001": "mixed-orientation",
  "sts002_ct_pet_mr_rtstruct/CT/dicom/mask": "non-image-object",
  "sts002_ct_pet_mr_rtstruct/MR_T1/dicom/mask": "non-image-object",
  "sts002_ct_pet_mr_rtstruct/PET/dicom/mask": "non-image-object",
  "transfer_syntaxes_mr_dicom2nifti/rgb/001": "unsupported-photometric",
};

describeWithData("real series against the readings of other programs", () => {
  test("every series of the test data is either read or refused for a listed reason", () => {
    const listed = new Set([...[READ, SEVERAL, REFUSED].flatMap(Object.keys), PHILIPS, MOSAICS]);
    expect(Object.keys(expected).filter((path) => !listed.has(path))).toEqual([]);
  });

  test.each(Object.entries(READ))("%s has the voxels and the affine that others found", async (path, twin) => {
    const reading = readingOf(twin);
    const { volume } = await decodeSeries(readSeries(path));
    expectEqual(toCanonical(volume), reading);
    expect(determinant(volume.geometry.ijkToLps)).toBeGreaterThan(0);
  });

  test.each(Object.entries(SEVERAL))("%s is read volume by volume", async (path, [volumes, toldApartBy]) => {
    const reading = readingOf(path);
    const parts: CanonicalVolume[] = [];
    for (let volume = 0; volume < volumes; volume++) {
      const series = await decodeSeries(readSeries(path), { volume });
      expect(series.notes.join()).toMatch(toldApartBy);
      expect(series.notes.join()).toContain(`volume ${volume} was read`);
      parts.push(toCanonical(series.volume));
    }
    const perVolume = parts[0]!.voxels.length;
    const voxels = new Float32Array(perVolume * volumes);
    for (const [n, part] of parts.entries()) voxels.set(part.voxels, n * perVolume);
    expectEqual({ ...parts[0]!, voxels }, reading);
    const first = await decodeSeries(readSeries(path).reverse());
    expect(toCanonical(first.volume)).toEqual(parts[0]);
    await expect(decodeSeries(readSeries(path), { volume: volumes })).rejects.toMatchObject({
      reason: "several-volumes",
      details: { volumes },
    });
  });

  test.each(["CT", "PET", "MR_T1"])(
    "STS_002's %s has the voxels of its NIfTI twin, each at its place",
    async (modality) => {
      const folder = `sts002_ct_pet_mr_rtstruct/${modality}`;
      const { volume } = await decodeSeries(readSeries(`${folder}/dicom/image`));
      const twin = readNifti(new Uint8Array(readFileSync(dataPath(`${folder}/nifti/image/image.nii.gz`))));
      const [ours, theirs] = [toCanonical(volume), toCanonical(twin)];
      expect(ours.size).toEqual(theirs.size);
      for (const [n, value] of ours.ijkToRas.entries()) expect(value).toBeCloseTo(theirs.ijkToRas[n]!, 3);
      expect(sha256OfVoxels(ours)).toBe(sha256OfVoxels(theirs));
    },
  );

  test("nine encodings of one Siemens mosaic are one volume of 35 slices", async () => {
    const files = readSeries(MOSAICS);
    expect(new Set(files.map((file) => readPart10(file).transferSyntaxUid)).size).toBe(7);
    for (const file of files) expectEqual(toCanonical((await decodeSeries([file])).volume), readingOf(MOSAICS));
  });

  test("an enhanced Philips image has the values of its Rescale Slope; dcm2niix undoes a private one", async () => {
    const [file = new Uint8Array(0)] = readSeries(PHILIPS);
    const { volume } = await decodeSeries([file]);
    const reading = readingOf(PHILIPS);
    const canonical = toCanonical(volume);
    expectSameGrid(canonical, reading);
    const [frame = {}] = items(readPart10(file).dataSet, "PerFrameFunctionalGroupsSequence");
    const [rescale = {}] = items(frame, "PixelValueTransformationSequence");
    const [philips = {}] = items(frame, "2005140F");
    const slope = firstNumber(rescale, "RescaleSlope")!;
    const privateSlope = firstNumber(philips, "2005100E")!;
    const largest = canonical.voxels.reduce((a, b) => Math.max(a, b));
    expect(largest / (slope * privateSlope)).toBeCloseTo(reading.max, 0);
    expect(volume.sources.map(({ frame: number }) => number)).toEqual(expect.arrayContaining([1, 2, 3, 4, 5, 6, 7, 8]));
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

function expectEqual(canonical: CanonicalVolume, reading: Reading): void {
  expectSameGrid(canonical, reading);
  expect(sha256OfVoxels(canonical)).toBe(reading.sha256_ras_f32);
}

function expectSameGrid(canonical: CanonicalVolume, reading: Reading): void {
  const affine = (reading.affineRAS ?? reading.affine ?? []).flat() as unknown as Mat4;
  const shape = reading.shape.slice(0, 3) as unknown as Vec3;
  expect(canonical.size).toEqual(canonicalSize(affine, shape));
  canonicalAffine(affine, shape).forEach((value, n) => {
    expect(canonical.ijkToRas[n]!).toBeCloseTo(value, 2);
  });
}

function readingOf(path: string): Reading {
  const series = expected[path];
  const reading = series?.independent ?? series?.dcm2niix?.[0];
  if (reading === undefined) throw new Error(`expected.json has no reading of ${path}`);
  return reading;
}
