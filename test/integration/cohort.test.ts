import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { readNifti } from "#converters/nifti/index.ts";
import { openCohortFolder, PARQUET_TABLE, readPlan, replaySeg, runCohort, TABLE } from "#server/cohort/index.ts";
import { type Dicomweb, openDicomweb } from "#server/dicomweb/index.ts";
import { promptsFrom, type SeriesQuestion, segmentSeries } from "#server/domain/index.ts";
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
    parquet: true,
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
    const columns = header.split(",");
    expect(columns).toEqual(expect.arrayContaining(["bone: present", "bone: volume_ml", "size_k"]));
    const first = Object.fromEntries(rows[0]!.split(",").map((cell, n) => [columns[n], cell]));
    expect(first).toMatchObject({ spacing_k_mm: "1.25", origin_x_mm: "0", direction_kz: "1" });
    expect(first.frame_of_reference_uid).toMatch(/^2\.25\./);
    const parquet = await readFile(join(output, PARQUET_TABLE), "latin1");
    expect([parquet.slice(0, 4), parquet.slice(-4)]).toEqual(["PAR1", "PAR1"]);
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

  test.each([
    [19000101, SERIES],
    [29991231, 0],
  ])("is of the studies since %d where its plan says so", async (sinceDay, total) => {
    const read = readPlan(`query: { modality: CT, sinceDay: ${sinceDay} }\nprompts: [bone]\n`);
    const folder = await openCohortFolder(join(root, `since ${sinceDay}`), read.question);
    const parts = { ports, archive: ports.archive, folder, version: "1.2.3" };
    const options = { signal, concurrency: 1, limit: 0, onProgress: () => {} };
    expect(await runCohort(parts, read, options)).toEqual({ total, done: 0, failed: 0, left: total });
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

describe("the commands", () => {
  const parse3d = (...args: string[]) => {
    const child = spawn(resolve(import.meta.dirname, "../../bin/parse3d"), args, {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        PARSE3D_DATA_DIR: join(root, "data"),
        PARSE3D_DICOMWEB_URL: orthanc.dicomwebUrl,
        PARSE3D_EXECUTION_PROVIDER: "cpu",
        PARSE3D_LOG_LEVEL: "silent",
      },
    });
    return { child, answer: async () => JSON.parse(await text(child.stdout)) };
  };

  test("work on so many series as --limit says, go on after kill -9, and replay a SEG of the table", async () => {
    const output = join(root, "by-command");
    const file = join(root, "plan.yaml");
    await writeFile(file, "query: { modality: CT }\nprompts: [bone]\nmodel: density-ct\n");
    const cohort = ["cohort", "run", file, "-o", output, "--concurrency", "2", "--parquet", "--json"];
    const limited = await parse3d(...cohort, "--limit", "3").answer();
    expect(limited).toMatchObject({ done: 3, left: SERIES - 3, parquet: join(output, PARQUET_TABLE) });

    const { child } = parse3d(...cohort);
    const exited = once(child, "exit");
    const ended = async () => (await readdir(join(output, "series"))).filter((name) => name.endsWith(".json")).length;
    await vi.waitFor(async () => expect(await ended()).toBeGreaterThan(6), { timeout: 60_000, interval: 10 });
    child.kill("SIGKILL");
    await exited;
    const before = await ended();
    expect(before).toBeLessThan(SERIES);
    expect(await parse3d(...cohort).answer()).toMatchObject({ done: SERIES, failed: 0, left: 0 });
    const [header = "", ...rows] = await tableOf(output);
    const cell = (row: string, name: string) => row.split(",")[header.split(",").indexOf(name)] ?? "";
    expect(new Set(rows.map((row) => cell(row, "series_instance_uid"))).size).toBe(SERIES);
    expect(rows).toHaveLength(SERIES);

    const replay = await parse3d("replay", cell(rows[0]!, "seg_sop_instance_uid"), "--json").answer();
    expect(replay).toMatchObject({ sameModel: true, sameInstances: true, segments: [{ label: "bone", dice: 1 }] });
  });
});

describe("a replay", () => {
  const run = { signal, progress: () => {}, note: () => {}, finding: () => {} };

  /** The SEG of such a question, as the archive would get it. */
  async function segOf(question: Omit<SeriesQuestion, "prompts">, prompts: readonly string[]): Promise<Uint8Array> {
    const { series } = syntheticCt(6, 24, "cohort 0", "PATIENT-0");
    const stored: Uint8Array[] = [];
    const store = async (part10: Uint8Array) => {
      stored.push(part10);
      return { sopClassUid: "", sopInstanceUid: "" };
    };
    const keeping = { ...ports, sink: { store } };
    const asked = promptsFrom(prompts.map((text) => ({ text })));
    await segmentSeries(keeping, { series, prompts: asked, model: "density-ct", ...question }, run);
    expect(stored).toHaveLength(1);
    return stored[0]!;
  }

  test.each<[Omit<SeriesQuestion, "prompts">, readonly string[]]>([
    [{ threshold: 0.9 }, ["bone"]],
    [{ threshold: 0.9, segmentationType: "fractional" }, ["bone"]],
    [{ minimumVolumeMm3: 20, threshold: 0.95, segmentationType: "labelmap" }, ["bone", "lung"]],
    [{ merge: "overlapping" }, ["soft tissue", "bone", "muscle"]],
    [{ presenceThreshold: 0.1 }, ['"bone"', "fat", "lung"]],
  ])("of a SEG that was asked with %j gives the same voxels", async (question, prompts) => {
    const replay = await replaySeg(ports, await segOf(question, prompts), run);
    expect(replay).toMatchObject({ sameModel: true, sameInstances: true });
    expect(replay.segments.length).toBeGreaterThan(0);
    for (const { dice, voxels } of replay.segments) {
      expect(dice).toBe(1);
      expect(voxels).toBeGreaterThan(0);
    }
  });

  test("takes the options from the SEG: without them it is another question", async () => {
    const part10 = await segOf({ threshold: 0.9 }, ["bone"]);
    const words = Buffer.from(part10).toString("latin1");
    expect(words).toContain('"threshold":0.9');
    const usual = Buffer.from(words.replace('"threshold":0.9', '"threshold":0.1'), "latin1");
    expect((await replaySeg(ports, usual, run)).segments[0]?.dice).toBeLessThan(1);
    const none = Buffer.from(words.replace('{"model":', '["model":'), "latin1");
    expect(await replaySeg(ports, none, run)).toMatchObject({
      notes: expect.arrayContaining([expect.stringContaining("does not hold the options")]),
    });
  });

  test("says that the model's files are others", async () => {
    const words = Buffer.from(await segOf({}, ["bone"])).toString("latin1");
    const other = Buffer.from(words.replace(/("modelSha256":"[0-9a-f]{62})../, "$1zz"), "latin1");
    expect(await replaySeg(ports, other, run)).toMatchObject({ sameModel: false });
  });
});

test.each([
  ["prompts: [bone]", /needs either series or query/],
  ["series: [1.2.3]\nquery: {}\nprompts: [bone]", /needs either series or query/],
  ["query: {}\nprompts: []", /prompts/],
  ["query: {}\nprompts: [bone]\nmodle: x", /modle/],
  ["query: { sinceDay: 2026-01-31 }\nprompts: [bone]", /sinceDay/],
  ["{", /not YAML/],
])("the plan %j is refused with its fault", (text, fault) => {
  expect(() => readPlan(text)).toThrow(fault);
});
