import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { type Database, openEmbeddedDatabase } from "#server/database/index.ts";
import { PacsUnavailableError } from "#server/domain/index.ts";
import { type Job, PostgresJobQueue } from "#server/jobs/index.ts";
import { freePort, type Orthanc, startOrthanc } from "#server/orthanc/index.ts";
import { parseRulesFile, ROUTING_OWNER, type RoutingOptions, startRouting } from "#server/routing/index.ts";
import { arrivingSeries, sendTo } from "../fixtures/arrivals.ts";
import { createFakeRunner } from "../fixtures/fake-runner.ts";
import { createLogReader } from "../fixtures/log-reader.ts";
import { routedModels } from "../fixtures/routed-models.ts";
import { resetDatabase } from "../fixtures/test-postgres.ts";
import { densityCard } from "../fixtures/test-server.ts";

let db: Database;
beforeAll(async () => {
  db = await openEmbeddedDatabase();
});
beforeEach(() => resetDatabase(db));
afterAll(() => db?.[Symbol.asyncDispose]());

const log = createLogReader();
const ctRule = { id: "ct", when: { tag: "Modality", equals: "CT" }, ask: { prompts: ["bone"] } };

/** An Orthanc that can be restarted, on the same port, with its storage or without. */
async function openArchive(settings: Readonly<Record<string, unknown>> = {}) {
  const storageFolder = await mkdtemp(join(tmpdir(), "parse3d-orthanc-"));
  const httpPort = await freePort();
  const start = () => startOrthanc({ storageFolder, httpPort, settings: { StableAge: 1, ...settings } });
  let orthanc: Orthanc | undefined = await start();
  const stop = async () => {
    await orthanc?.[Symbol.asyncDispose]();
    orthanc = undefined;
  };
  return {
    url: `http://127.0.0.1:${httpPort}`,
    stop,
    start: async () => {
      orthanc = await start();
    },
    empty: async () => {
      await stop();
      await rm(storageFolder, { recursive: true, force: true });
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(storageFolder, { recursive: true, force: true });
    },
  };
}

/** Routing with a real queue; jobs only wait, so that each can be counted. */
async function openRouting(
  url: string,
  rules: readonly unknown[] = [ctRule],
  backlog = 1000,
  changes: Partial<RoutingOptions> = {},
) {
  const runner = createFakeRunner();
  const queue = await PostgresJobQueue.open({ db, runner: runner.run, logger: log.logger, concurrency: 0, backlog });
  const routing = startRouting({
    db,
    queue,
    logger: log.logger,
    from: { kind: "orthanc", url, headers: {} },
    pollMs: 100,
    modalities: ["CT", "MR", "PT"],
    checkDestination: async () => {},
    models: routedModels(),
    hasNiftiFolder: false,
    ...changes,
  });
  for (const rule of parseRulesFile(JSON.stringify({ rules }))) await routing.put(rule);
  return {
    routing,
    queue,
    jobs: () => queue.list({ owners: [ROUTING_OWNER], limit: 1000 }),
    async [Symbol.asyncDispose]() {
      await routing[Symbol.asyncDispose]();
      await queue[Symbol.asyncDispose]();
    },
  };
}

/** Until the archive calls everything in it complete. */
function stable(url: string) {
  const ask = async () => {
    const series = (await (await fetch(`${url}/series?expand`)).json()) as { IsStable: boolean }[];
    expect(series.every(({ IsStable }) => IsStable)).toBe(true);
    expect(await (await fetch(`${url}/changes?last`)).text()).toContain("Stable");
  };
  return vi.waitFor(ask, { timeout: 20_000, interval: 100 });
}

/** Until routing has read where the archive stands. */
function begun() {
  return vi.waitFor(
    async () => expect(await db.query("select 1 from parse3d.archive_cursors")).toHaveLength(1),
    20_000,
  );
}

function routed(jobs: () => Promise<readonly Job[]>, count: number) {
  return vi.waitFor(async () => expect(await jobs()).toHaveLength(count), { timeout: 60_000, interval: 50 });
}

function seriesOf(jobs: readonly Job[]): readonly string[] {
  return jobs.map(({ request }) => (request.kind === "series" ? request.series.seriesInstanceUid : "")).sort();
}

test("a rule can be kept switched off whatever became of its folder, destination or model, and is told what is wrong", async () => {
  await using archive = await openArchive();
  await using it = await openRouting(archive.url, [ctRule], 1000, {
    models: routedModels(densityCard),
    checkDestination: () => Promise.reject(new PacsUnavailableError("Orthanc cannot be reached.")),
  });
  const rule = {
    id: "off",
    enabled: false,
    when: { tag: "Modality", equals: "CT" },
    ask: { prompts: ["bone"], model: "gone", outputs: ["nifti"] },
    destination: { modality: "PACS" },
  };
  const [off] = parseRulesFile(JSON.stringify(rule));
  expect(await it.routing.put(off!)).toEqual([
    expect.stringContaining("PARSE3D_NIFTI_FOLDER"),
    "Orthanc cannot be reached.",
    expect.stringContaining("Installed: density-ct"),
  ]);
  expect(await it.routing.rules()).toContainEqual(off);
  await expect(it.routing.put({ ...off!, enabled: true })).rejects.toThrow("PARSE3D_NIFTI_FOLDER");
  expect(await it.routing.rules()).toContainEqual(off);
});

test("what arrives is routed once, by each rule that is for it; what was there before is left alone", async () => {
  await using archive = await openArchive();
  await sendTo(archive.url, arrivingSeries("before").slices(3));
  await stable(archive.url);
  const chest = {
    id: "chest",
    when: { tag: "BodyPartExamined", equals: "CHEST" },
    ask: { prompts: ["lung"] },
    priority: "batch",
  };
  const other = { id: "head", when: { tag: "BodyPartExamined", equals: "HEAD" }, ask: { prompts: ["brain"] } };
  const off = { id: "off", enabled: false, when: { tag: "Modality", equals: "CT" }, ask: { prompts: ["skull"] } };
  await using it = await openRouting(archive.url, [ctRule, chest, other, off]);
  await begun();
  const arriving = arrivingSeries("a");
  await sendTo(archive.url, arriving.slices(3));
  await routed(it.jobs, 2);
  await sleep(1500);
  const jobs = await it.jobs();
  expect(jobs.map(({ ruleId, priority }) => [ruleId, priority]).sort()).toEqual([
    ["chest", "batch"],
    ["ct", "routed"],
  ]);
  expect(new Set(seriesOf(jobs))).toEqual(new Set([arriving.series.seriesInstanceUid]));
});

test("what arrives while this program is away is routed when it is back, each series once", async () => {
  await using archive = await openArchive();
  {
    await using _before = await openRouting(archive.url);
    await begun();
  }
  const arriving = Array.from({ length: 40 }, (_, n) => arrivingSeries(`away ${n}`));
  for (const one of arriving) await sendTo(archive.url, one.slices(2));
  await using it = await openRouting(archive.url);
  await routed(it.jobs, 40);
  await sleep(500);
  expect(seriesOf(await it.jobs())).toEqual(arriving.map(({ series }) => series.seriesInstanceUid).sort());
});

test("results of ours, derived images and other modalities start nothing", async () => {
  await using archive = await openArchive();
  await using it = await openRouting(archive.url, [{ ...ctRule, when: { tag: "Modality", exists: true } }]);
  await begun();
  await db.query(
    "insert into parse3d.stored_instances (sop_instance_uid, series_instance_uid, study_instance_uid) values ('2.25.9', $1, '2.25.8')",
    [arrivingSeries("stored by us").series.seriesInstanceUid],
  );
  await sendTo(archive.url, arrivingSeries("seg", { Modality: "SEG" }).slices(1));
  await sendTo(archive.url, arrivingSeries("ours", { Manufacturer: "Parse3D" }).slices(2));
  await sendTo(archive.url, arrivingSeries("derived", { ImageType: "DERIVED\\SECONDARY" }).slices(2));
  await sendTo(archive.url, arrivingSeries("stored by us").slices(2));
  await sendTo(archive.url, arrivingSeries("image").slices(2));
  await routed(it.jobs, 1);
  await vi.waitFor(async () => expect(await db.query("select 1 from parse3d.pending_series")).toEqual([]), 20_000);
  expect(seriesOf(await it.jobs())).toEqual([arrivingSeries("image").series.seriesInstanceUid]);
});

test("an instance that comes late has the series asked anew; the same instances again do not", async () => {
  await using archive = await openArchive();
  await using it = await openRouting(archive.url);
  await begun();
  const arriving = arrivingSeries("late");
  await sendTo(archive.url, arriving.slices(3));
  await routed(it.jobs, 1);
  await sendTo(archive.url, arriving.slices(3));
  await sleep(2500);
  expect(await it.jobs()).toHaveLength(1);
  await sendTo(archive.url, [arriving.slice(3)]);
  await routed(it.jobs, 2);
});

test("an Orthanc that restarts before it calls a series stable never says so: it is asked", async () => {
  await using archive = await openArchive({ StableAge: 60 });
  await using it = await openRouting(archive.url);
  await begun();
  const arriving = arrivingSeries("restart");
  await sendTo(archive.url, arriving.slices(3));
  await sleep(500);
  expect(await it.jobs()).toEqual([]);
  await archive.stop();
  await archive.start();
  await routed(it.jobs, 1);
  expect(log.text()).toContain("routing.reconciled");
});

test("an instance that comes late to a series, and a restart right after it, are noticed too", async () => {
  await using archive = await openArchive({ StableAge: 60 });
  const arriving = arrivingSeries("late restart");
  await sendTo(archive.url, arriving.slices(3));
  await archive.stop();
  await archive.start();
  {
    await using _before = await openRouting(archive.url);
    await begun();
  }
  await sendTo(archive.url, [arriving.slice(3)]);
  await archive.stop();
  await archive.start();
  await using it = await openRouting(archive.url);
  await routed(it.jobs, 1);
});

test("an archive whose database was emptied is read from its beginning, also where it has come further than the old one", async () => {
  await using archive = await openArchive();
  await using it = await openRouting(archive.url);
  await begun();
  await sendTo(archive.url, arrivingSeries("old").slices(2));
  await routed(it.jobs, 1);
  await archive.empty();
  await archive.start();
  await sendTo(archive.url, arrivingSeries("new").slices(1));
  await routed(it.jobs, 2);

  await it.routing[Symbol.asyncDispose]();
  await archive.empty();
  await archive.start();
  for (let n = 0; n < 4; n++) await sendTo(archive.url, arrivingSeries(`newer ${n}`).slices(3));
  await using again = await openRouting(archive.url);
  await routed(again.jobs, 6);
});

test("a rule waits until the series has been complete for its settle time", async () => {
  await using archive = await openArchive();
  await using it = await openRouting(archive.url, [ctRule, { ...ctRule, id: "patient", settleSeconds: 4 }]);
  await begun();
  await sendTo(archive.url, arrivingSeries("settle").slices(2));
  await routed(it.jobs, 1);
  const first = performance.now();
  await routed(it.jobs, 2);
  expect(performance.now() - first).toBeGreaterThan(2500);
  expect((await it.jobs()).map(({ ruleId }) => ruleId)).toEqual(["patient", "ct"]);
});

test("more than the backlog waits in the archive, and comes when there is room", async () => {
  await using archive = await openArchive();
  await using it = await openRouting(archive.url, [ctRule], 2);
  await begun();
  for (let n = 0; n < 3; n++) await sendTo(archive.url, arrivingSeries(`many ${n}`).slices(1));
  await routed(it.jobs, 2);
  await sleep(1500);
  const [job] = await it.jobs();
  await it.queue.cancel(job?.id ?? "");
  await routed(it.jobs, 3);
});

test("an archive that is away is waited for", async () => {
  await using archive = await openArchive();
  await using it = await openRouting(archive.url);
  await begun();
  await archive.stop();
  await sleep(500);
  await archive.start();
  await sendTo(archive.url, arrivingSeries("back").slices(2));
  await routed(it.jobs, 1);
  expect(log.text()).toContain("Orthanc cannot be reached");
});

test("of two processes one looks at a time, and the other takes over when it is gone", async () => {
  await using archive = await openArchive();
  const first = await openRouting(archive.url);
  await begun();
  await using second = await openRouting(archive.url);
  await sendTo(archive.url, arrivingSeries("two").slices(2));
  await routed(second.jobs, 1);
  await first[Symbol.asyncDispose]();
  await sendTo(archive.url, arrivingSeries("then").slices(2));
  await routed(second.jobs, 2);
  expect(new Set(seriesOf(await second.jobs())).size).toBe(2);
});

test("what waits for its time since before the clock was set back waits for it anew, not for the clock", async () => {
  await using archive = await openArchive();
  await using it = await openRouting(archive.url, [{ ...ctRule, settleSeconds: 3 }]);
  await begun();
  await sendTo(archive.url, arrivingSeries("set back").slices(2));
  await vi.waitFor(
    async () =>
      expect(await db.query("select 1 from parse3d.pending_series where stable_at is not null")).toHaveLength(1),
    { timeout: 20_000, interval: 20 },
  );
  await db.query(
    `update parse3d.pending_series set stable_at = stable_at + interval '6 hours', look_after = look_after + interval '6 hours'`,
  );
  // Whoever held the archive then is gone.
  await db.query("update parse3d.archive_cursors set holder = 'gone', held_until = now() + interval '6 hours'");
  await routed(it.jobs, 1);
});

test("a dry run tells which series rules are for and why not, and queues nothing", async () => {
  await using archive = await openArchive();
  const today = new Date().toISOString().slice(0, 10).replaceAll("-", "");
  await sendTo(archive.url, arrivingSeries("thorax", { StudyDate: today }).slices(3));
  await sendTo(archive.url, arrivingSeries("skull", { StudyDate: today, BodyPartExamined: "HEAD" }).slices(2));
  await sendTo(archive.url, arrivingSeries("result", { StudyDate: today, Modality: "SEG" }).slices(1));
  await sendTo(archive.url, arrivingSeries("long ago", { StudyDate: "19990101" }).slices(1));
  await using it = await openRouting(archive.url);
  const rules = parseRulesFile(
    JSON.stringify({ ...ctRule, when: { all: [ctRule.when, { tag: "BodyPartExamined", equals: "CHEST" }] } }),
  );
  const { signal } = new AbortController();
  const test = await it.routing.test({ rules, sinceDays: 30, limit: 100 }, { signal });
  expect(test).toMatchObject({ seriesTested: 3, complete: true, rules: [{ id: "ct", matched: 1 }] });
  const of = (seed: string) =>
    test.series.find(({ seriesInstanceUid }) => seriesInstanceUid === arrivingSeries(seed).series.seriesInstanceUid);
  expect(of("thorax")).toMatchObject({ matched: ["ct"], sliceCount: 3, unmatched: [] });
  expect(of("skull")).toMatchObject({
    matched: [],
    unmatched: [{ id: "ct", because: ['BodyPartExamined is "HEAD", not "CHEST"'] }],
  });
  expect(of("result")).toMatchObject({ matched: [], neverBecause: expect.stringContaining("SEG") });
  expect(await it.routing.test({ rules, sinceDays: 30, limit: 2 }, { signal })).toMatchObject({ complete: false });
  expect(await it.jobs()).toEqual([]);
});
