import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { contoursOnto, decodeSeries, decodeStructureSet } from "#converters/dicom/index.ts";
import { resampleNearest } from "#converters/geometry/index.ts";
import { unpackBits } from "#converters/mask/index.ts";
import { readNifti } from "#converters/nifti/index.ts";
import { dataPath, describeWithData, readSeries } from "../fixtures/shared-data.ts";

const STUDY = "sts002_ct_pet_mr_rtstruct";

describeWithData("an expert's contours of a sarcoma, rasterised on the series that they were drawn on", () => {
  test.each([
    ["CT", 17090],
    ["PET", 555],
    ["MR_T1", 17090],
  ])("%s: voxel for voxel the NIfTI mask that MIRP made of them", async (modality, voxels) => {
    const { volume } = await decodeSeries(readSeries(STUDY, modality, "dicom", "image"));
    const file = readFileSync(dataPath(STUDY, modality, "dicom", "mask", "RS.dcm"));
    const { rois, frameOfReferenceUid } = decodeStructureSet(new Uint8Array(file));
    expect(rois.map(({ name }) => name)).toEqual([`GTV_Mass_${modality}`]);
    expect(frameOfReferenceUid).toBe(volume.geometry.frameOfReferenceUid);
    const mask = contoursOnto(rois[0]!, volume.geometry);
    const drawn = unpackBits(mask.bits, 0, volume.voxels.length);

    const twin = readNifti(new Uint8Array(readFileSync(dataPath(STUDY, modality, "nifti", "mask", "mask.nii.gz"))));
    const { geometry } = volume;
    const expected = resampleNearest(Uint8Array.from(twin.voxels), twin.geometry, geometry);
    expect(drawn.reduce((sum, bit) => sum + bit, 0)).toBe(voxels);
    expect(Buffer.compare(drawn, expected)).toBe(0);
  });
});
