import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeNifti } from "#converters/nifti/index.ts";
import { runCli } from "../fixtures/run-cli.ts";

let folder: string;

/** A head's size and nothing in it, twice over. */
const geometry = {
  size: [60, 60, 60],
  ijkToLps: [3, 0, 0, 0, 0, 3, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1],
  frameOfReferenceUid: "",
} as const;
const voxels = new Int16Array(2 * 60 ** 3).fill(-1000);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-wrong-"));
  const dicom = new Uint8Array(400);
  dicom.set(new TextEncoder().encode("DICM"), 128);
  const files = {
    "scan.nii": writeNifti({ geometry, voxels: voxels.subarray(60 ** 3) }),
    "bold.nii": writeNifti({ geometry, voxels }, { volumes: 2 }),
    "slice.dcm": dicom,
    "text.nii": new TextEncoder().encode("hello ".repeat(100)),
    "empty.nii": new Uint8Array(0),
  };
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function segment(file: string, ...options: readonly string[]) {
  const given = options.includes("-p") ? options : [...options, "-p", "bone"];
  const output = join(folder, "out", "mask.nii.gz");
  const environment = { PARSE3D_DATA_DIR: join(folder, "data") };
  const ended = await runCli(["segment", join(folder, file), ...given, "-o", output, "--json"], environment);
  const written = await readdir(join(folder, "out")).catch(() => []);
  await rm(join(folder, "out"), { recursive: true, force: true });
  return { ...ended, written, answer: JSON.parse(ended.out) };
}

test.each([
  ["a folder", ".", [], 2, /a NIfTI file is needed\. Convert a DICOM series first \(parse3d convert/],
  ["a DICOM file", "slice.dcm", [], 4, /The file is DICOM, .* Convert a DICOM series first/],
  ["a text", "text.nii", [], 4, /not a NIfTI image/],
  ["an empty file", "empty.nii", [], 4, /not a NIfTI image/],
  ["no file", "absent.nii", [], 2, /The file cannot be read: ENOENT/],
  ["a path as a prompt", "scan.nii", ["-p", "/data/scans/head"], 2, /prompts are words/],
  ["a file as one more prompt", "scan.nii", ["-p", "bone", "other.nii.gz"], 2, /prompts are words/],
  [
    "a volume that is not there",
    "bold.nii",
    ["--modality", "CT", "--volume", "99"],
    4,
    /holds 2 volumes, 0 to 1\. Choose/,
  ],
  ["a model that is not there", "scan.nii", ["--modality", "CT", "--model", "nothing"], 3, /Installed: .*density-ct/],
  ["nothing said of the modality", "scan.nii", [], 4, /No --modality was given, so the image was taken for MR/],
])("%s is refused by name, with what to do, and nothing is written", async (_, file, options, expected, words) => {
  const { code, err, written, answer } = await segment(file, ...options);
  expect([code, written]).toEqual([expected, []]);
  expect(answer.problem.detail).toMatch(words);
  expect(err).not.toMatch(/^\s+at /m);
});

test("an output that cannot be written is refused before anything is asked", async () => {
  const { code, out, err } = await runCli(
    ["segment", join(folder, "scan.nii"), "--modality", "CT", "-p", "bone", "-o", join(folder, "scan.nii/mask.nii")],
    { PARSE3D_DATA_DIR: join(folder, "unused") },
  );
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain("The output cannot be written: ENOTDIR");
  expect(await readdir(folder)).not.toContain("unused");
});

test("of a file with several volumes the first is asked about, and the notes say so", async () => {
  const { code, answer } = await segment("bold.nii", "--modality", "CT");
  expect(code).toBe(0);
  expect(answer.notes).toContain("The file holds 2 volumes, 0 to 1; volume 0 was read. Others are chosen by number.");
});

test("after wrong usage the help that is named is the command's own", async () => {
  const { code, err } = await runCli(["models", "pull"]);
  expect(code).toBe(2);
  expect(err).toContain("parse3d models pull --help");
});
