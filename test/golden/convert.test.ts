import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readNifti } from "#converters/nifti/index.ts";
import { sha256OfVoxels, toCanonical } from "../fixtures/canonical.ts";
import { runCli } from "../fixtures/run-cli.ts";
import { dataPath, describeWithData } from "../fixtures/shared-data.ts";

const folder = mkdtempSync(join(tmpdir(), "parse3d-convert-"));
afterAll(() => rmSync(folder, { recursive: true }));

const seg = (file: string) => `seg_producers/dcmqi/${file}`;

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

  test("of a NIfTI file with several volumes takes the first, says so, and takes another by its number", async () => {
    const file = "nifti_variants/nibabel/example4d.nii.gz";
    const whole = new Uint8Array(readFileSync(dataPath(file)));
    for (const [options, index] of [
      [[], 0],
      [["--volume", "1"], 1],
    ] as const) {
      const { volume, answer } = await convert(file, `volume${index}.nii.gz`, ...options);
      const same = readNifti(whole, { volumeIndex: index });
      expect(sha256OfVoxels(toCanonical(volume))).toBe(sha256OfVoxels(toCanonical(same)));
      expect(answer.notes).toEqual([
        `The file holds 2 volumes, 0 to 1; volume ${index} was read. Others are chosen by number.`,
      ]);
    }
    await expect(convert(file, "none.nii", "--volume", "99")).rejects.toThrow(/2 volumes, 0 to 1\. Choose one/);
  });

  test("takes an enhanced image as one file, with the voxels of its folder", async () => {
    const folder = "mr_t1_enhanced_siemens_xa30/dicom";
    const [file] = readdirSync(dataPath(folder));
    const { volume } = await convert(`${folder}/${file}`, "one-file.nii");
    expect(sha256OfVoxels(toCanonical(volume))).toBe(
      (series[folder].independent ?? series[folder].dcm2niix[0]).sha256_ras_f32,
    );
  });

  test("puts a SEG on the whole grid of its series, given as a folder or as a NIfTI file", async () => {
    const ct = seg("ct-3slice");
    await convert(ct, "ct.nii");
    const image = readNifti(new Uint8Array(readFileSync(join(folder, "ct.nii"))));
    // Its first segment is in one slice of three.
    const alone = await convert(seg("partial_overlaps.dcm"), "alone.nii");
    expect(alone.answer.notes.join()).toContain("--like");
    for (const like of [dataPath(ct), join(folder, "ct.nii")]) {
      const { volume, answer } = await convert(seg("partial_overlaps.dcm"), "on-series.nii", "--like", like);
      expect(volume.geometry).toEqual(image.geometry);
      expect(new Set(volume.voxels)).toEqual(new Set(alone.volume.voxels));
      expect(answer.notes.join()).not.toContain("another series");
    }
  });

  test("never writes over the image that --like names", async () => {
    await convert(seg("ct-3slice"), "image.nii");
    const image = readFileSync(join(folder, "image.nii"));
    const onto = convert(seg("liver.dcm"), "image.nii", "--like", join(folder, "image.nii"));
    await expect(onto).rejects.toThrow("would replace the input");
    expect(readFileSync(join(folder, "image.nii")).equals(image)).toBe(true);
  });

  test.each([
    [
      "another series",
      "--like",
      dataPath("ct_abdomen_crlm1004/dicom"),
      /refers to another series than --like gives.*another frame of reference/,
    ],
    [
      "an image of other voxels",
      "--like",
      dataPath("nifti_variants/nibabel/anatomical.nii"),
      /not on the image's voxels/,
    ],
    ["nothing", "--like", "nowhere", /--like cannot be read: ENOENT/],
    ["the SEG itself", "--like", dataPath(seg("liver.dcm")), /./],
    ["a volume of no series", "--volume", "1", /--like.* Give that too/],
  ])("refuses to put a SEG on %s, and writes nothing", async (_, option, value, words) => {
    await expect(convert(seg("liver.dcm"), "refused.nii", option, value)).rejects.toThrow(words);
    expect(readdirSync(folder).filter((name) => name.startsWith("refused"))).toEqual([]);
  });
});

describe("parse3d convert of what it cannot use", () => {
  const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, ...new Array(300).fill(7));

  test.each<[string, Uint8Array, RegExp]>([
    ["an empty file", new Uint8Array(0), /The file is empty\. Give a DICOM SEG/],
    ["a text", new TextEncoder().encode("hello ".repeat(100)), /neither DICOM nor NIfTI\. Give a DICOM SEG/],
    ["a PNG", png, /neither DICOM nor NIfTI/],
  ])("%s is refused by name", async (_, bytes, words) => {
    const input = join(folder, "input");
    writeFileSync(input, bytes);
    const { code, out, err } = await runCli(["convert", input, "-o", join(folder, "refused.nii")]);
    expect([code, out]).toEqual([4, ""]);
    expect(err).toMatch(words);
  });

  test("a folder without DICOM is told by what is in it, without a name of a file", async () => {
    const input = mkdtempSync(join(folder, "no-dicom-"));
    const run = async () => {
      const { code, err } = await runCli(["convert", input, "-o", join(folder, "refused.nii")]);
      return [code, err];
    };
    expect(await run()).toEqual([4, expect.stringContaining("The folder is empty. Give the folder")]);
    for (const name of ["DOE^JOHN.nii.gz", "b.nii.gz", "c.json", "JANE.DOE-1970"])
      writeFileSync(join(input, name), "x");
    const [code, err] = await run();
    expect(code).toBe(4);
    expect(err).toContain("holds 4 files (2 with .nii.gz, 1 with .json, 1 with no ending), and none is DICOM");
    expect(err).toContain("A NIfTI file is given by its own name.");
    expect(err).not.toMatch(/DOE|JANE/);
  });
});
