import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test, vi } from "vitest";
import { decodeSeg, segToLabelVolume } from "#converters/dicom/index.ts";
import { readNifti } from "#converters/nifti/index.ts";
import { openDicomweb } from "#server/dicomweb/index.ts";
import { startServer } from "../../server/app.ts";
import { readConfig } from "../../server/config.ts";
import { createApiClient } from "../fixtures/api-client.ts";
import { sendTo } from "../fixtures/arrivals.ts";
import { fromScanner } from "../fixtures/from-scanner.ts";
import { createLogReader } from "../fixtures/log-reader.ts";
import { startTestOrthanc } from "../fixtures/test-orthanc.ts";

const { signal } = new AbortController();

/** The server as an administrator starts it who wants masks as files. */
async function startRoutingTo(niftiFolder: (root: string) => string, more: Readonly<Record<string, string>> = {}) {
  const root = await mkdtemp(join(tmpdir(), "parse3d-routed-nifti-"));
  const orthanc = await startTestOrthanc({ StableAge: 1 });
  const folder = niftiFolder(root);
  const config = readConfig({
    PARSE3D_DATA_DIR: join(root, "data"),
    PARSE3D_DICOMWEB_URL: orthanc.dicomwebUrl,
    PARSE3D_ORTHANC_URL: orthanc.baseUrl,
    PARSE3D_ROUTING_POLL_SECONDS: "0.2",
    PARSE3D_JOBS: "durable",
    PARSE3D_JOB_RETRY_SECONDS: "0.2",
    PARSE3D_PORT: "0",
    PARSE3D_EXECUTION_PROVIDER: "cpu",
    PARSE3D_NIFTI_FOLDER: folder,
    ...more,
  });
  const log = createLogReader();
  const server = await startServer(config, log.logger);
  await vi.waitFor(() => expect(log.text()).toContain("routing.begun"), 20_000);
  const api = createApiClient(server.url);
  return {
    folder,
    orthanc,
    log,
    api,
    /** The jobs of the rules, when all have ended. */
    ended: (count: number) =>
      vi.waitFor(
        async () => {
          const { jobs } = await api.call("listJobs", { query: { submittedBy: "routing" } });
          expect(jobs.map(({ state }) => state)).toEqual(Array(count).fill(expect.stringMatching(/succeeded|failed/)));
          return jobs;
        },
        { timeout: 90_000, interval: 200 },
      ),
    files: async () => {
      const found = await readdir(folder, { recursive: true, withFileTypes: true });
      return found.flatMap((one) => (one.isFile() ? join(one.parentPath, one.name).slice(folder.length + 1) : []));
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await orthanc[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true });
    },
  };
}

const rule = { when: { tag: "Modality", equals: "CT" }, derived: true };

test("a rule's masks lie in the administrator's folder as the SEG has them, once, and their names tell nobody", async () => {
  await using it = await startRoutingTo((root) => join(root, "masks"));
  const ask = { prompts: ["bone", "lung"], outputs: ["seg", "nifti"], niftiSubfolder: "bones" };
  await it.api.call("putRule", { body: { id: "one", ...rule, ask } });
  // The same question by another rule is the same file.
  await it.api.call("putRule", { body: { id: "two", ...rule, ask } });
  await sendTo(it.orthanc.baseUrl, fromScanner("to be routed", "DOE-1970"));
  const [job, twin] = await it.ended(2);
  expect(job).toMatchObject({ state: "succeeded", request: { outputs: ["seg", "nifti"], niftiSubfolder: "bones" } });
  const file = job?.result?.nifti?.file ?? "none";
  expect(file).toMatch(/^bones\/sub-[0-9a-f]{12}\/ses-[0-9a-f]{12}\/sub-.*_dseg\.nii\.gz$/);
  expect(twin?.result?.nifti?.file).toBe(file);
  const all = await it.files();
  expect(all.sort()).toEqual([".key", file, file.replace(".nii.gz", ".tsv")].sort());
  expect(all.join()).not.toMatch(/DOE|1970|2\.25/);

  const seg = job?.result?.seg;
  if (!seg) throw new Error("no SEG was stored");
  using archive = openDicomweb({ url: it.orthanc.dicomwebUrl });
  const stored = segToLabelVolume(decodeSeg(await archive.archive.fetchInstance(seg, { signal })));
  const masks = readNifti(new Uint8Array(await readFile(join(it.folder, file))), { modality: "CT" });
  const count = (voxels: ArrayLike<number>, value: number) => Array.from(voxels).filter((one) => one === value).length;
  for (const { value } of stored.labels) {
    expect(count(masks.voxels, value)).toBeGreaterThan(0);
    expect(count(masks.voxels, value)).toBe(count(stored.volume.voxels, value));
  }
  const table = await readFile(join(it.folder, file.replace(".nii.gz", ".tsv")), "utf8");
  expect(table).toBe(`index\tname\n${stored.labels.map(({ value, name }) => `${value}\t${name}\n`).join("")}`);
  // Neither is anything of it in the log.
  expect(it.log.text()).not.toMatch(/DOE|sub-[0-9a-f]{12}/);
});

test("a folder that is away delays the job, which says why, and leaves nothing stored before it", async () => {
  // Its parent is a file.
  await using it = await startRoutingTo((root) => join(root, "file", "masks"), { PARSE3D_JOB_ATTEMPTS: "2" });
  await writeFile(dirname(it.folder), "");
  await it.api.call("putRule", {
    body: { id: "away", ...rule, ask: { prompts: ["bone"], outputs: ["seg", "nifti"] } },
  });
  await sendTo(it.orthanc.baseUrl, fromScanner("nowhere to go"));
  const [job] = await it.ended(1);
  expect(job).toMatchObject({
    state: "failed",
    procedureStepState: "CANCELED",
    attempt: 2,
    problem: { code: "store-rejected", retryable: true, detail: expect.stringContaining("PARSE3D_NIFTI_FOLDER") },
  });
  using archive = openDicomweb({ url: it.orthanc.dicomwebUrl });
  expect(await archive.archive.searchSeries({ modality: "SEG" }, { signal })).toEqual([]);
});
