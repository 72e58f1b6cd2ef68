import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { type Database, openEmbeddedDatabase } from "#server/database/index.ts";
import { openDicomweb } from "#server/dicomweb/index.ts";
import { PostgresJobQueue } from "#server/jobs/index.ts";
import type { Orthanc } from "#server/orthanc/index.ts";
import type { RoutedArchive } from "#server/routing/index.ts";
import { parseRulesFile, ROUTING_OWNER, RuleNotFoundError, startRouting } from "#server/routing/index.ts";
import { arrivingSeries, sendTo } from "../fixtures/arrivals.ts";
import { createFakeRunner } from "../fixtures/fake-runner.ts";
import { createLogReader } from "../fixtures/log-reader.ts";
import { routedModels } from "../fixtures/routed-models.ts";
import { startTestOrthanc } from "../fixtures/test-orthanc.ts";
import { resetDatabase } from "../fixtures/test-postgres.ts";

let db: Database;
let orthanc: Orthanc;
beforeAll(async () => {
  db = await openEmbeddedDatabase();
  orthanc = await startTestOrthanc({ StableAge: 1 });
});
beforeEach(async () => {
  await resetDatabase(db);
  const held = (await (await fetch(`${orthanc.baseUrl}/patients`)).json()) as string[];
  for (const id of held) await fetch(`${orthanc.baseUrl}/patients/${id}`, { method: "DELETE" });
});
afterAll(async () => {
  await db?.[Symbol.asyncDispose]();
  await orthanc?.[Symbol.asyncDispose]();
});

const log = createLogReader();
const today = new Date().toISOString().slice(0, 10).replaceAll("-", "");
const { signal } = new AbortController();
const chest = { id: "chest", when: { tag: "BodyPartExamined", equals: "CHEST" }, ask: { prompts: ["lung"] } };

interface Setting {
  readonly from?: RoutedArchive;
  readonly rules?: readonly unknown[];
  readonly backlog?: number;
}

/** Routing whose jobs only wait, so that each can be counted. */
async function openRouting({ from, rules = [chest], backlog = 1000 }: Setting = {}) {
  const { run } = createFakeRunner();
  const queue = await PostgresJobQueue.open({ db, runner: run, logger: log.logger, concurrency: 0, backlog });
  const routing = startRouting({
    db,
    queue,
    logger: log.logger,
    from: from ?? { kind: "orthanc", url: orthanc.baseUrl, headers: {} },
    pollMs: 50,
    modalities: ["CT", "MR", "PT"],
    checkDestination: async () => {},
    models: routedModels(),
    hasNiftiFolder: false,
  });
  for (const rule of parseRulesFile(JSON.stringify({ rules }))) await routing.put(rule);
  return {
    routing,
    queue,
    jobs: () => queue.list({ owners: [ROUTING_OWNER], limit: 1000 }),
    begun: () =>
      vi.waitFor(async () => expect(await db.query("select 1 from parse3d.archive_cursors")).toHaveLength(1), 20_000),
    async [Symbol.asyncDispose]() {
      await routing[Symbol.asyncDispose]();
      await queue[Symbol.asyncDispose]();
    },
  };
}

type Routing = Awaited<ReturnType<typeof openRouting>>;

function routed({ jobs }: Routing, count: number) {
  return vi.waitFor(async () => expect(await jobs()).toHaveLength(count), { timeout: 30_000, interval: 50 });
}

async function send(seed: string, changes = {}) {
  const arriving = arrivingSeries(seed, { StudyDate: today, ...changes });
  await sendTo(orthanc.baseUrl, arriving.slices(2));
  return arriving.series.seriesInstanceUid;
}

function complete() {
  const ask = async () => {
    const series = (await (await fetch(`${orthanc.baseUrl}/series?expand`)).json()) as { IsStable: boolean }[];
    expect(series.every(({ IsStable }) => IsStable)).toBe(true);
  };
  return vi.waitFor(ask, { timeout: 20_000, interval: 100 });
}

const all = { sinceDays: 30, limit: 100, perHour: 3600 };

test("a backfill shows what it would ask about, then asks about each once, as batch jobs, however often it is requested", async () => {
  const old = await send("a");
  const head = await send("head", { BodyPartExamined: "HEAD" });
  const result = await send("seg", { Modality: "SEG" });
  await send("long ago", { StudyDate: "19990101" });
  await complete();
  await using it = await openRouting();
  await it.begun();
  const shown = await it.routing.backfill("chest", { ...all, queue: false }, { signal });
  expect(shown).toMatchObject({ seriesTested: 3, complete: true, matched: 1, queued: false, waiting: 0 });
  const outcome = Object.fromEntries(shown?.series.map((one) => [one.seriesInstanceUid, one.outcome]) ?? []);
  expect(outcome).toEqual({ [old]: "matched", [head]: "unmatched", [result]: "never" });
  expect(await it.jobs()).toEqual([]);

  expect(await it.routing.backfill("chest", { ...all, queue: true }, { signal })).toMatchObject({ matched: 1 });
  await routed(it, 1);
  expect(await it.jobs()).toMatchObject([{ ruleId: "chest", priority: "batch" }]);
  const again = await it.routing.backfill("chest", { ...all, queue: true }, { signal });
  expect(again).toMatchObject({ matched: 0, waiting: 0 });
  expect(again?.series.find(({ seriesInstanceUid }) => seriesInstanceUid === old)?.outcome).toBe("asked-before");
  expect(await it.jobs()).toHaveLength(1);
  const none = it.routing.backfill("none", { ...all, queue: true }, { signal });
  await expect(none).rejects.toThrow(RuleNotFoundError);
});

test("what was routed as it arrived is not asked about by a backfill", async () => {
  await using it = await openRouting();
  await it.begun();
  await send("arrived");
  await routed(it, 1);
  expect(await it.routing.backfill("chest", { ...all, queue: true }, { signal })).toMatchObject({ matched: 0 });
});

test("a limit takes so many, the next request the next ones; a rate lets one go at a time, and a restart loses none", async () => {
  for (const seed of ["1", "2", "3"]) await send(seed);
  await complete();
  {
    await using it = await openRouting();
    await it.begun();
    const slow = { sinceDays: 30, limit: 2, perHour: 1, queue: true };
    expect(await it.routing.backfill("chest", slow, { signal })).toMatchObject({
      matched: 2,
      complete: false,
      hours: 2,
    });
    await routed(it, 1);
    expect(await it.routing.backfill("chest", slow, { signal })).toMatchObject({ matched: 1, waiting: 2 });
  }
  await using it = await openRouting();
  expect(await it.jobs()).toHaveLength(1);
  // An hour passes.
  await db.query("update parse3d.backfills set next_at = now() - interval '1 second'");
  await routed(it, 2);
  expect(await it.routing.stopBackfill("chest")).toBe(1);
  expect(await db.query("select 1 from parse3d.backfills")).toEqual([]);
});

test("a backfill waits for room in the queue, and for a rule that is switched off", async () => {
  for (const seed of ["1", "2", "3"]) await send(seed);
  await complete();
  await using it = await openRouting({ backlog: 2 });
  await it.begun();
  await it.routing.backfill("chest", { ...all, queue: true }, { signal });
  await db.query("update parse3d.backfills set next_at = now() - interval '1 minute'");
  await routed(it, 2);
  const [off] = parseRulesFile(JSON.stringify({ ...chest, enabled: false }));
  if (off) await it.routing.put(off);
  // A look that has begun with the rule as it was comes to its end.
  await sleep(500);
  const [job] = await it.jobs();
  await it.queue.cancel(job?.id ?? "");
  await expect(it.routing.backfill("chest", { ...all, queue: true }, { signal })).rejects.toThrow("switched off");
  // Ten looks at the archive.
  await sleep(500);
  expect(await db.query("select 1 from parse3d.backfill_series")).toHaveLength(1);
  const [on] = parseRulesFile(JSON.stringify(chest));
  if (on) await it.routing.put(on);
  await routed(it, 3);
});

test("outside its hours a rule asks nothing, and begins when they do", async () => {
  const hour = (ahead: number) => `${new Date(Date.now() + ahead * 3_600_000).toISOString().slice(11, 14)}00`;
  const night = { ...chest, onlyBetween: { from: hour(3), to: hour(5), timeZone: "UTC" } };
  await using it = await openRouting({ rules: [night] });
  await it.begun();
  await send("by day");
  await vi.waitFor(
    async () =>
      expect(
        await db.query("select 1 from parse3d.pending_series where look_after > now() + interval '1 hour'"),
      ).toHaveLength(1),
    20_000,
  );
  expect(await it.jobs()).toEqual([]);
  const [now] = parseRulesFile(
    JSON.stringify({ ...night, onlyBetween: { from: hour(-1), to: hour(2), timeZone: "UTC" } }),
  );
  if (now) await it.routing.put(now);
  await routed(it, 1);
  const [row] = await db.query<{ hours: unknown }>("select hours from parse3d.jobs");
  expect(row?.hours).toEqual({ from: hour(-1), to: hour(2), timeZone: "UTC" });
});

test("a time zone that the database does not know is refused with the rule", async () => {
  await using it = await openRouting();
  const [rule] = parseRulesFile(JSON.stringify(chest));
  const hours = { from: "22:00", to: "06:00", timeZone: "Mars/Olympus" };
  await expect(it.routing.put({ ...rule, onlyBetween: hours } as never)).rejects.toThrow("Mars/Olympus");
});

/** The same archive, by DICOMweb alone. */
function byQido(stableMs: number) {
  const dicomweb = openDicomweb({ url: orthanc.dicomwebUrl });
  const from = { kind: "qido", url: orthanc.dicomwebUrl, archive: dicomweb.archive, windowDays: 3, stableMs } as const;
  return { from, [Symbol.dispose]: () => dicomweb[Symbol.dispose]() };
}

test("an archive that tells nothing is searched: what arrives is routed when it stops growing, once, what was there before is not", async () => {
  await send("before");
  using archive = byQido(1500);
  await using it = await openRouting({ from: archive.from });
  await it.begun();
  const arriving = arrivingSeries("growing", { StudyDate: today });
  await sendTo(orthanc.baseUrl, arriving.slices(2));
  await send("seg", { Modality: "SEG" });
  await sendTo(orthanc.baseUrl, [arriving.slice(2)]);
  await send("ours", { Manufacturer: "Parse3D" });
  await send("derived", { ImageType: "DERIVED\\SECONDARY" });
  await routed(it, 1);
  expect(await it.jobs()).toMatchObject([{ request: { series: arriving.series } }]);
  await vi.waitFor(async () => {
    expect(await db.query("select 1 from parse3d.seen_series where look_after is not null")).toEqual([]);
  }, 20_000);
  expect(await it.jobs()).toHaveLength(1);
  await sendTo(orthanc.baseUrl, [arriving.slice(3)]);
  await routed(it, 2);
});

test("what arrives in it while this program is away is routed when it is back, and a backfill asks about the rest", async () => {
  await send("before");
  using archive = byQido(300);
  {
    await using it = await openRouting({ from: archive.from });
    await it.begun();
  }
  await send("meanwhile");
  await send("not lately", { StudyDate: "20200101" });
  await using it = await openRouting({ from: archive.from });
  await routed(it, 1);
  const plan = await it.routing.backfill("chest", { ...all, sinceDays: 36_500, queue: true }, { signal });
  expect(plan).toMatchObject({ seriesTested: 3, matched: 2 });
  await db.query("update parse3d.backfills set next_at = now() - interval '1 minute'");
  await routed(it, 3);
});
