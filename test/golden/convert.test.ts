import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readNifti } from "#converters/nifti/index.ts";
import { sha256OfVoxels, toCanonical } from "../fixtures/canonical.ts";
import { runCli } from "../fixtures/run-cli.ts";
import { dataPath, describeWithData } from "../fixtures/shared-data.ts";

const folder = mkdtempSync(join(tmpdir(), "parse3d-convert-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function convert(series: string, name: string, ...options: string[]) {
  const output = join(folder, name);
  const { code, out, err } = await runCli(["convert", dataPath(series), "-o", output, "--json", ...options]);
  if (code !== 0) throw new Error(err);
  return { volume: readNifti(new Uint8Array(readFileSync(output))), answer: JSON.parse(out) };
}

describeWithData("parse3d convert", () => {
  const { series } = JSON.parse(readFileSync(dataPath("expected.json"), "utf8"));

  test.each([
    ["slice by slice", "ct_abdomen_crlm1004/dicom", "whole.nii"],
    ["compressed", "ct_abdomen_crlm1004/dicom", "whole.nii.gz"],
    ["in threads", "ct_abdomen_j2k_totalseg/dicom_with_uids", "j2k.nii"],
    ["of an enhanced image", "mr_t1_enhanced_siemens_xa30/dicom", "enhanced.nii"],
    ["of a PET with a slope for each slice", "sts002_ct_pet_mr_rtstruct/PET/dicom/image", "pet.nii"],
  ])("writes the voxels that others find: %s", async (_, path, name) => {
    const { volume } = await convert(path, name);
    const { independent, dcm2niix } = series[path.replace("_with_uids", "")];
    expect(sha256OfVoxels(toCanonical(volume))).toBe((independent ?? dcm2niix[0]).sha256_ras_f32);
  });

  test("sets padding to air where that is asked for, and changes nothing else", async () => {
    const kept = await convert("ct_abdomen_crlm1004/dicom", "kept.nii");
    const { volume, answer } = await convert("ct_abdomen_crlm1004/dicom", "air.nii", "--padding", "air");
    const wrong = volume.voxels.findIndex((value, n) => {
      const before = kept.volume.voxels[n]!;
      return value !== (before === -3024 ? -1000 : before);
    });
    expect(wrong).toBe(-1);
    expect(kept.volume.voxels.includes(-3024)).toBe(true);
    expect(answer.notes.join()).toContain("(-3024) was set to air");
  });

  test("tells the unit of PET values, and refuses units that it does not know", async () => {
    const pet = "sts002_ct_pet_mr_rtstruct/PET/dicom/image";
    const { answer } = await convert(pet, "pet-activity.nii", "--pet-units", "activity");
    expect(answer.unit).toBe("SUV");
    expect(answer.notes.join()).toContain("hold SUV only");
    await expect(convert(pet, "pet-counts.nii", "--pet-units", "counts")).rejects.toThrow(/suv, activity/);
  });
});
