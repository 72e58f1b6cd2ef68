import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readNifti } from "#converters/nifti/index.ts";
import { openDicomweb } from "#server/dicomweb/index.ts";
import type { Orthanc } from "#server/orthanc/index.ts";
import { dciodvfy } from "../fixtures/dicom-tools.ts";
import { dataPath, describeWithData } from "../fixtures/shared-data.ts";
import { startTestOrthanc } from "../fixtures/test-orthanc.ts";
import { writeTinyBundle } from "../fixtures/tiny-bundle.ts";

const command = resolve(import.meta.dirname, "../../bin/parse3d");
let folder: string;
let orthanc: Orthanc;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-cli-"));
  orthanc = await startTestOrthanc();
});

afterAll(async () => {
  await orthanc?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function parse3d(...args: string[]): Promise<Ended> {
  return new Promise((done, reject) => {
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        PARSE3D_DATA_DIR: join(folder, "data"),
        PARSE3D_DICOMWEB_URL: orthanc.dicomwebUrl,
        PARSE3D_EXECUTION_PROVIDER: "cpu",
      },
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (text) => {
      out += text;
    });
    child.stderr.on("data", (text) => {
      err += text;
    });
    child.once("error", reject).once("close", (code) => done({ code, out, err }));
  });
}

test("--help tells the commands and what the exit codes mean", async () => {
  const { code, out } = await parse3d("--help");
  expect(code).toBe(0);
  for (const word of ["segment", "convert", "import", "models", "serve", "demo", "Research use only", "Exit codes"]) {
    expect(out).toContain(word);
  }
});

test.each([
  ["an unknown command", ["frobnicate"], 2],
  ["no prompt", ["segment", "scan.nii.gz"], 2],
  ["neither a file nor a series", ["segment", "--prompt", "bone"], 2],
  ["an output that is no NIfTI file", ["segment", "scan.nii.gz", "--prompt", "bone", "-o", "mask.txt"], 2],
  ["a volume that is no number", ["segment", "scan.nii.gz", "--prompt", "bone", "-o", "m.nii", "--volume", "1x"], 2],
  ["an output beside --series", ["segment", "--series", "1.2.3", "--prompt", "bone", "-o", "mask.nii"], 2],
  [
    "a patient ID that DICOM cannot hold",
    ["import", import.meta.filename, "--modality", "MR", "--patient-id", "A\\B"],
    2,
  ],
  ["a file that is not there", ["segment", "absent.nii", "--prompt", "bone", "-o", "out.nii.gz"], 2],
  ["a series that is not there", ["segment", "--series", "1.2.3", "--prompt", "bone"], 3],
  ["a model that nobody knows", ["models", "pull", "no-such-model"], 3],
  ["a model to remove that is not there", ["models", "remove", "no-such-model"], 3],
])("%s ends with its own exit code, words for people, and nothing on standard output", async (_, args, expected) => {
  const { code, out, err } = await parse3d(...args);
  expect([code, out]).toEqual([expected, ""]);
  expect(err.length).toBeGreaterThan(20);
  expect(err).not.toMatch(/^\s+at /m);
});

test("with --json a failure is one JSON document too", async () => {
  const { code, out } = await parse3d("segment", "--series", "1.2.3", "--prompt", "bone", "--json");
  expect(code).toBe(3);
  expect(JSON.parse(out)).toMatchObject({ problem: { code: "series-not-found", retryable: false } });
});

describeWithData("real files", () => {
  const ct = dataPath("nifti_ct_mr_totalseg", "example_ct_sm.nii.gz");

  test("a NIfTI is imported as a DICOM series without errors, segmented in the archive, and fetched back", async () => {
    const imported = await parse3d("import", ct, "--modality", "CT", "--patient-id", "DEMO", "--json");
    expect(imported.code).toBe(0);
    const { studyInstanceUid, seriesInstanceUid, instances } = JSON.parse(imported.out);
    const again = await parse3d("import", ct, "--modality", "CT", "--patient-id", "DEMO", "--json");
    expect(JSON.parse(again.out)).toEqual({ studyInstanceUid, seriesInstanceUid, instances, notes: [] });

    const foreign = ["import", ct, "--modality", "CT", "--patient-id", "ANOTHER", "--study", studyInstanceUid];
    expect((await parse3d(...foreign)).code).toBe(2);

    const signal = new AbortController().signal;
    using dicomweb = openDicomweb({ url: orthanc.dicomwebUrl });
    expect((await dicomweb.source.describe({ studyInstanceUid, seriesInstanceUid }, { signal })).instanceCount).toBe(
      instances,
    );
    const dicom = join(folder, "imported");
    await mkdir(dicom);
    let n = 0;
    for await (const part10 of dicomweb.source.instances({ studyInstanceUid, seriesInstanceUid }, { signal })) {
      expect(dciodvfy(part10).errors).toEqual([]);
      await writeFile(join(dicom, `${n++}.dcm`), part10);
    }

    const converted = join(folder, "converted.nii.gz");
    expect((await parse3d("convert", dicom, "-o", converted)).code).toBe(0);
    const before = readNifti(new Uint8Array(await readFile(ct)));
    const after = readNifti(new Uint8Array(await readFile(converted)));
    expect(after.voxels.length).toBe(before.voxels.length);

    const segmented = await parse3d("segment", "--series", seriesInstanceUid, "--prompt", "bone", "unicorn", "--json");
    expect(segmented.code).toBe(0);
    const { findings, seg } = JSON.parse(segmented.out);
    expect(findings.map(({ present }: { present: boolean }) => present)).toEqual([true, false]);
    const part10 = await dicomweb.archive.fetchInstance(seg, { signal });
    expect(dciodvfy(part10).errors).toEqual([]);
    const file = join(folder, "seg.dcm");
    await writeFile(file, part10);
    const labels = join(folder, "labels.nii.gz");
    expect((await parse3d("convert", file, "-o", labels)).code).toBe(0);
    const bone = readNifti(new Uint8Array(await readFile(labels)));
    expect(Array.from(bone.voxels).filter((value) => value > 0).length).toBe(findings[0].voxels);
  });

  test("a NIfTI is segmented to a file; a failing run leaves no file behind", async () => {
    const output = join(folder, "mask.nii.gz");
    const done = await parse3d("segment", ct, "--modality", "CT", "--prompt", "bone", "-o", output);
    expect([done.code, done.out.includes("bone: present")]).toEqual([0, true]);
    expect(done.out).toContain("not a trained network");
    expect(new Set(readNifti(new Uint8Array(await readFile(output))).voxels)).toEqual(new Set([0, 1]));

    const refused = join(folder, "refused.nii.gz");
    const { code } = await parse3d("segment", ct, "--modality", "US", "--prompt", "bone", "-o", refused);
    expect(code).toBe(3);
    expect((await readdir(folder)).filter((name) => name.startsWith("refused"))).toEqual([]);
  });

  test("a folder whose identifiers are empty is refused with the reason", async () => {
    const { code, err } = await parse3d(
      "convert",
      dataPath("ct_abdomen_j2k_totalseg", "dicom"),
      "-o",
      join(folder, "x.nii"),
    );
    expect(code).toBe(4);
    expect(err).toContain("SOPInstanceUID");
  });
});

describe("standard output", () => {
  test("`models --json` is one JSON document that says what density-ct is", async () => {
    const { out } = await parse3d("models", "list", "--json");
    const cards = JSON.parse(out) as { name: string; trained: boolean; title: string }[];
    expect(cards.find(({ name }) => name === "density-ct")).toMatchObject({ trained: false });
  });

  test("`models show` says what a model may be used for, and who made it", async () => {
    const { out: words } = await parse3d("models", "show", "brain-t1-unet");
    expect(words).toMatch(/^licence: MIT$/m);
    expect(words).toMatch(/^use: .*Not for diagnosis/m);
    expect(words).toMatch(/^made by: .*Colin27/m);
    const { out } = await parse3d("models", "show", "density-ct", "--json");
    expect(JSON.parse(out)).toMatchObject({ name: "density-ct", nonCommercial: false, thresholds: { mask: 0.5 } });
    expect((await parse3d("models", "show", "no-such-model")).code).toBe(3);
  });

  test("`models show` lists what a model that is asked in sentences is asked for each target", async () => {
    const targets = [{ name: "spleen", synonyms: [] }];
    const tiny = join(folder, "data", "models", "tiny");
    await writeTinyBundle(tiny, { phrasing: "sentence", targets });
    const { out: words } = await parse3d("models", "show", "tiny");
    expect(words).toMatch(/^ {2}CT imaging of the spleen within the abdomen$/m);
    expect(words).toMatch(/^ {2}spleen in abdomen MRI$/m);
    const { out } = await parse3d("models", "show", "tiny", "--json");
    const phrases = { CT: "CT imaging of the spleen within the abdomen", MR: "spleen in abdomen MRI" };
    expect(JSON.parse(out)).toMatchObject({ phrasing: "sentence", targets: [{ name: "spleen", phrases }] });
    await rm(tiny, { recursive: true });
  });
});
