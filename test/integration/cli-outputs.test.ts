import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeSeg } from "#converters/dicom/index.ts";
import { readNifti, writeNifti } from "#converters/nifti/index.ts";
import { type Dicomweb, openDicomweb } from "#server/dicomweb/index.ts";
import type { Orthanc } from "#server/orthanc/index.ts";
import { dciodvfy } from "../fixtures/dicom-tools.ts";
import { runCli } from "../fixtures/run-cli.ts";
import { hasSharedData, weightsPath } from "../fixtures/shared-data.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";
import { startTestOrthanc } from "../fixtures/test-orthanc.ts";

const ct = syntheticCt(10, 32);
const signal = new AbortController().signal;
let folder: string;
let orthanc: Orthanc;
let dicomweb: Dicomweb;
let scan: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-cli-outputs-"));
  orthanc = await startTestOrthanc();
  dicomweb = openDicomweb({ url: orthanc.dicomwebUrl });
  for (const instance of ct.instances()) await dicomweb.sink.store(instance, { signal });
  // A block of bone, and one voxel of it apart; two such volumes.
  const voxels = new Int16Array(2 * 16 ** 3).fill(-1000);
  for (const at of [0, 16 ** 3]) {
    for (let k = 2; k < 8; k++)
      for (let j = 2; j < 9; j++) voxels.fill(700, at + (k * 16 + j) * 16 + 3, at + (k * 16 + j) * 16 + 12);
    if (at === 0) voxels[at + (12 * 16 + 12) * 16 + 12] = 700;
  }
  scan = join(folder, "scan.nii.gz");
  const geometry = {
    size: [16, 16, 16],
    ijkToLps: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1],
    frameOfReferenceUid: "",
  } as const;
  await writeFile(scan, writeNifti({ geometry, voxels }, { gzip: true, volumes: 2 }));
});

afterAll(async () => {
  dicomweb?.[Symbol.dispose]();
  await orthanc?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const parse3d = (...args: string[]) =>
  runCli(args, {
    PARSE3D_DATA_DIR: join(folder, "data"),
    PARSE3D_DICOMWEB_URL: orthanc.dicomwebUrl,
    PARSE3D_EXECUTION_PROVIDER: "cpu",
  });

describe("segment --series", () => {
  const series = ["segment", "--series", ct.series.seriesInstanceUid];

  test("leaves in the archive what --output lists, and says where", async () => {
    const { code, out } = await parse3d(...series, "-p", "bone", "--output", "sr,rtstruct", "--output", "sc", "--json");
    expect(code).toBe(0);
    const document = JSON.parse(out);
    expect(document.notes.join()).toContain("The segmentation was stored as well");
    for (const kind of ["seg", "sr", "rtstruct", "sc"]) {
      expect(dciodvfy(await dicomweb.archive.fetchInstance(document[kind], { signal })).errors).toEqual([]);
    }
    const said = await parse3d(...series, "-p", "bone", "-o", "seg,sr");
    expect(said.out).toContain(`stored as series ${document.seg.seriesInstanceUid}`);
    expect(said.out).toContain(`report: stored as series ${document.sr.seriesInstanceUid}`);
  });

  test("stores nothing for detections, and prints where each piece lies", async () => {
    const { code, out } = await parse3d(...series, "-p", "bone", "-o", "detections");
    expect(code).toBe(0);
    expect(out).toMatch(/^ {2}bone 1: \S+ mL at \(.+\) mm LPS, \d+\.\d mm across, mean -?\d+\.\d HU$/m);
    expect(out).not.toContain("stored");
  });

  test("asks with thresholds, a floor and a kind of SEG", async () => {
    const asked = ["--segmentation-type", "fractional", "--threshold", "0.9", "--minimum-volume", "2.5"];
    const { code, out } = await parse3d(...series, "-p", "bone", ...asked, "--json");
    expect(code).toBe(0);
    const document = JSON.parse(out);
    expect(document.notes.join()).toContain("how deep a value lies");
    const seg = decodeSeg(await dicomweb.archive.fetchInstance(document.seg, { signal }));
    expect(seg.type).toBe("FRACTIONAL");
    const smallest = Math.min(...document.findings[0].components.map((c: { volumeMl: number }) => c.volumeMl));
    expect(1000 * smallest).toBeGreaterThanOrEqual(2.5 - 1e-6);
  });
});

describe("segment FILE", () => {
  test("takes a volume and a floor, and tells of the pieces without writing a file", async () => {
    const asked = ["segment", scan, "--modality", "CT", "-p", "bone", "-o", "detections", "--json"];
    const first = async (...more: string[]) => sizes("--volume", "0", ...more);
    const before = await readdir(folder);
    const sizes = async (...more: string[]) => {
      const { code, out } = await parse3d(...asked, ...more);
      expect(code).toBe(0);
      return JSON.parse(out).findings[0].components.map(({ voxels }: { voxels: number }) => voxels);
    };
    const both = await first();
    expect(both).toHaveLength(2);
    const [block, speck] = both;
    // A voxel has 2 mm3.
    expect(await first("--minimum-volume", String(2 * speck))).toEqual(both);
    expect(await first("--minimum-volume", String(2 * speck + 0.1))).toEqual([block]);
    expect(await sizes("--volume", "1")).toEqual([block]);
    expect((await readdir(folder)).filter((name) => name !== "data")).toEqual(before.filter((name) => name !== "data"));
  });

  test("writes what a higher threshold leaves", async () => {
    const file = join(folder, "mask.nii");
    const asked = ["segment", scan, "--modality", "CT", "-p", "bone", "--volume", "0", "-o", file];
    const count = async (...more: string[]) => {
      expect((await parse3d(...asked, ...more)).code).toBe(0);
      return Array.from(readNifti(new Uint8Array(await readFile(file))).voxels).filter((label) => label > 0).length;
    };
    expect(await count("--threshold", "1")).toBeLessThan(await count());
  });
});

test.each([
  ["an output that there is not", ["--series", "1.2.3", "-p", "bone", "-o", "seg,stl"]],
  ["a file name beside --series", ["--series", "1.2.3", "-p", "bone", "-o", "mask.nii"]],
  ["--probabilities beside --series", ["--series", "1.2.3", "-p", "bone", "--probabilities"]],
  ["--resample of a NIfTI", ["scan.nii", "-p", "bone", "-o", "m.nii", "--resample"]],
  ["two files to write", ["scan.nii", "-p", "bone", "-o", "a.nii", "-o", "b.nii"]],
  ["a threshold above 1", ["scan.nii", "-p", "bone", "-o", "m.nii", "--threshold", "1.5"]],
  ["a threshold that is no number", ["scan.nii", "-p", "bone", "-o", "m.nii", "--presence-threshold", "high"]],
  ["a floor below nothing", ["scan.nii", "-p", "bone", "-o", "m.nii", "--minimum-volume", "-1"]],
  ["a kind of SEG that there is not", ["--series", "1.2.3", "-p", "bone", "--segmentation-type", "surface"]],
  [
    "a label map of overlapping masks",
    [
      "--series",
      ct.series.seriesInstanceUid,
      "-p",
      "bone",
      "--segmentation-type",
      "labelmap",
      "--merge",
      "overlapping",
    ],
  ],
])("%s is wrong usage", async (_, args) => {
  const { code, out, err } = await parse3d("segment", ...args);
  expect([code, out]).toEqual([2, ""]);
  expect(err.length).toBeGreaterThan(20);
});

describe("models", () => {
  test("lists what cannot be run, with the reason", async () => {
    const broken = join(folder, "data", "models", "half-a-model");
    await mkdir(broken, { recursive: true });
    await writeFile(join(broken, "manifest.json"), "{");
    const { out } = await parse3d("models");
    expect(out).toMatch(/^half-a-model: CANNOT BE RUN\. manifest\.json: is not JSON/m);
    expect(out).toMatch(/^density-ct /m);
    const listed = JSON.parse((await parse3d("models", "list", "--json")).out) as { name: string; broken?: string }[];
    expect(listed.find(({ name }) => name === "half-a-model")?.broken).toContain("is not JSON");
    await rm(broken, { recursive: true });
  });

  test.skipIf(!hasSharedData)("says of one that is fetched again that it was there", async () => {
    const pull = () => parse3d("models", "pull", "brain-t1", "--from", weightsPath("brainchop"));
    expect((await pull()).out).toMatch(/^installed brain-t1 /);
    expect((await pull()).out).toMatch(/^was installed already: brain-t1 /);
  });
});
