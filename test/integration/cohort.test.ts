import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readNifti } from "#converters/nifti/index.ts";
import { openCohortFolder, readPlan, replaySeg, runCohort, TABLE } from "#server/cohort/index.ts";
import { type Dicomweb, openDicomweb } from "#server/dicomweb/index.ts";
import type { Orthanc } from "#server/orthanc/index.ts";
import { type AppPorts, openPorts } from "../../server/app.ts";
import { readConfig } from "../../server/config.ts";
import { createLogger } from "../../server/logger.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";
import { startTestOrthanc } from "../fixtures/test-orthanc.ts";

const SERIES = 40;
const { signal } = new AbortController();
let root: string;
let orthanc: Orthanc;
let direct: Dicomweb;
let ports: AppPorts;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "parse3d-cohort-"));
  orthanc = await startTestOrthanc();
  direct = openDicomweb({ url: orthanc.dicomwebUrl });
  for (let n = 0; n < SERIES; n++) {
    const ct = syntheticCt(6, 24, `cohort ${n}`, `PATIENT-${n % 7}`);
    for (const part10 of ct.instances()) await direct.sink.store(part10, { signal });
  }
  const config = readConfig({
    PARSE3D_DATA_DIR: join(root, "data"),
    PARSE3D_DICOMWEB_URL: orthanc.dicomwebUrl,
    PARSE3D_EXECUTION_PROVIDER: "cpu",
    PARSE3D_LOG_LEVEL: "silent",
  });
  ports = await openPorts(config, createLogger(config.log));
});
afterAll(async () => {
  await ports?.[Symbol.asyncDispose]();
  direct?.[Symbol.dispose]();
  await orthanc?.[Symbol.asyncDispose]();
  await rm(root, { recursive: true, force: true });
});

const plan = readPlan(`
query: { modality: CT }
prompts: [bone]
model: density-ct
outputs: [seg, nifti]
`);

/** Runs until so many series are done in this run, then is interrupted; counts what the archive was given. */
async function runUntil(output: string, series: number) {
  const folder = await openCohortFolder(output, plan.question);
  const stop = new AbortController();
  let atStart: number | undefined;
  let stored = 0;
  const counting = {
    ...ports,
    sink: {
      store: (part10: Uint8Array, options: { readonly signal: AbortSignal }) => {
        stored++;
        return ports.sink.store(part10, options);
      },
    },
  };
  const running = runCohort({ ports: counting, archive: ports.archive, folder, version: "1.2.3" }, plan, {
    signal: stop.signal,
    concurrency: 2,
    onProgress: (done) => {
      atStart ??= done;
      if (done - atStart >= series) stop.abort(new Error("interrupted"));
    },
  });
  const summary = await running.catch((error: Error) => {
    if (error.message !== "interrupted") throw error;
    return undefined;
  });
  return { summary, stored, atStart };
}

async function tableOf(output: string): Promise<readonly string[]> {
  return (await readFile(join(output, TABLE), "utf8")).trimEnd().split("\r\n");
}

describe("a cohort of 40 series", () => {
  test("that is interrupted three times ends with 40 rows, none twice, and does nothing again", async () => {
    const output = join(root, "interrupted");
    const runs = [await runUntil(output, 9), await runUntil(output, 11), await runUntil(output, 7)];
    expect(runs.map(({ summary }) => summary)).toEqual([undefined, undefined, undefined]);
    const before = (await tableOf(output)).length - 1;
    expect(before).toBeGreaterThanOrEqual(27);
    const last = await runUntil(output, 1000);
    expect(last.atStart).toBe(before);
    expect(last.stored).toBe(SERIES - before);
    expect(last.summary).toEqual({ total: SERIES, done: SERIES, failed: 0, left: 0 });

    const [header = "", ...rows] = await tableOf(output);
    expect(rows).toHaveLength(SERIES);
    const column = header.split(",").indexOf("series_instance_uid");
    expect(new Set(rows.map((row) => row.split(",")[column])).size).toBe(SERIES);
    expect(header.split(",")).toEqual(expect.arrayContaining(["bone: present", "bone: volume_ml", "size_k"]));
    expect((await direct.archive.searchSeries({ modality: "SEG" }, { signal })).length).toBe(SERIES);
  });

  test("names nobody in its folder, and its masks are NIfTI files", async () => {
    const output = join(root, "interrupted");
    const names = await readdir(output, { recursive: true });
    expect(names.filter((name) => /PATIENT|SYNTHETIC|\d+\.\d+\.\d+/.test(name))).toEqual([]);
    expect(names.filter((name) => /^sub-[0-9a-f]{12}$/.test(name))).toHaveLength(7);
    const masks = names.filter((name) => name.endsWith("_dseg.nii.gz"));
    expect(masks).toHaveLength(SERIES);
    const { voxels } = readNifti(new Uint8Array(await readFile(join(output, masks[0]!))), { modality: "SEG" });
    expect(Math.max(...voxels)).toBe(1);
  });

  test("is not mixed with another question in one folder", async () => {
    const other = readPlan("query: { modality: CT }\nprompts: [lung]\n");
    await expect(openCohortFolder(join(root, "interrupted"), other.question)).rejects.toMatchObject({
      code: "invalid-request",
    });
  });

  test("has a row that says why for a series that is not there, and tries it again only where that may help", async () => {
    const output = join(root, "absent");
    const read = readPlan("series: [1.2.3.4.5]\nprompts: [bone]\n");
    const folder = await openCohortFolder(output, read.question);
    const parts = { ports, archive: ports.archive, folder, version: "1.2.3" };
    const options = { signal, concurrency: 1, onProgress: () => {} };
    expect(await runCohort(parts, read, options)).toEqual({ total: 1, done: 0, failed: 1, left: 0 });
    expect(await folder.rows()).toMatchObject([{ status: "failed", code: "series-not-found", retryable: false }]);
    expect((await tableOf(output))[1]).toContain("series-not-found");
  });

  test("can be replayed from a SEG alone: the same voxels again", async () => {
    const folder = await openCohortFolder(join(root, "interrupted"), plan.question);
    const [row] = await folder.rows();
    const instance = await ports.archive.locateInstance(row?.segSopInstanceUid ?? "", { signal });
    const part10 = await ports.archive.fetchInstance(instance, { signal });
    const run = { signal, progress: () => {}, note: () => {}, finding: () => {} };
    expect(await replaySeg(ports, part10, run)).toMatchObject({
      model: { name: "density-ct" },
      sameInstances: true,
      segments: [{ label: "bone", dice: 1 }],
    });
  });
});

test.each([
  ["prompts: [bone]", /needs either series or query/],
  ["series: [1.2.3]\nquery: {}\nprompts: [bone]", /needs either series or query/],
  ["query: {}\nprompts: []", /prompts/],
  ["query: {}\nprompts: [bone]\nmodle: x", /modle/],
  ["{", /not YAML/],
])("the plan %j is refused with its fault", (text, fault) => {
  expect(() => readPlan(text)).toThrow(fault);
});
