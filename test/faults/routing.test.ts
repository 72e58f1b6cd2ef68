import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Database, openServerDatabase } from "#server/database/index.ts";
import { freePort } from "#server/orthanc/index.ts";
import { type ArrivingSeries, arrivingSeries } from "../fixtures/arrivals.ts";
import { createLogReader } from "../fixtures/log-reader.ts";
import { type FaultBench, type ServiceProcess, startFaultBench } from "../fixtures/service-processes.ts";
import { describeWithPostgres, startTestPostgres, type TestPostgres } from "../fixtures/test-postgres.ts";

const SERIES = 200;
const SLICES = 3;
const SIDE = 8;

/** Everything that anybody could want to keep out is let in: what keeps our own results out is the guards alone. */
const rule = { id: "all", when: { tag: "Modality", exists: true }, ask: { prompts: ["bone"] }, derived: true };

describeWithPostgres("series that a scanner sends with storescu", () => {
  let bench: FaultBench;
  let postgres: TestPostgres;
  let folder: string;
  let dicomPort: number;
  let environment: Readonly<Record<string, string>>;
  let db: Database;
  let server: ServiceProcess;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "parse3d-scanner-"));
    dicomPort = await freePort();
    bench = await startFaultBench({
      StableAge: 2,
      DicomServerEnabled: true,
      DicomPort: dicomPort,
      DicomCheckCalledAet: false,
    });
    postgres = await startTestPostgres();
    const url = await postgres.newDatabase();
    environment = {
      PARSE3D_DATABASE_URL: url,
      PARSE3D_ORTHANC_URL: bench.orthanc().baseUrl,
      PARSE3D_ROUTING_POLL_SECONDS: "0.5",
      PARSE3D_JOB_BACKLOG: String(SERIES / 2),
      PARSE3D_LOG_LEVEL: "debug",
    };
    db = openServerDatabase({ url, logger: createLogReader().logger });
    server = await bench.serve(environment);
    await vi.waitFor(async () => expect(await db.query("select 1 from parse3d.archive_cursors")).toHaveLength(1), {
      timeout: 60_000,
    });
    await server.api.call("putRule", { body: rule });
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await db?.[Symbol.asyncDispose]();
    await postgres?.[Symbol.asyncDispose]();
    await bench?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const scanned = (n: number) =>
    arrivingSeries(`storescu ${n}`, { Rows: SIDE, Columns: SIDE, PixelData: bone(), PixelSpacing: "2\\2" });

  /** One association for all of them, as from a scanner at the end of its day. */
  async function storescu(name: string, files: readonly Uint8Array[]) {
    const day = join(folder, name);
    await mkdir(day);
    for (const [n, file] of files.entries()) await writeFile(join(day, `${n}.dcm`), file);
    execFileSync("storescu", ["+sd", "127.0.0.1", String(dicomPort), day], { stdio: "pipe" });
  }

  /** By series: how many jobs of the rule have succeeded. Nothing has failed. */
  async function asked(): Promise<ReadonlyMap<string, number>> {
    const rows = await db.query<{ series: string; state: string; count: number }>(
      `select request -> 'series' ->> 'seriesInstanceUid' as series, state, count(*)::integer as count
       from parse3d.jobs where rule_id = 'all' group by 1, 2`,
    );
    expect(rows.filter(({ state }) => state === "failed" || state === "cancelled")).toEqual([]);
    return new Map(
      rows.flatMap(({ series, state, count }) => (state === "succeeded" ? [[series, count] as const] : [])),
    );
  }

  const uidOf = ({ series }: ArrivingSeries) => series.seriesInstanceUid;

  async function untilAsked(series: readonly ArrivingSeries[], times: number) {
    await vi.waitFor(
      async () => {
        const now = await asked();
        expect(series.filter((one) => now.get(uidOf(one)) !== times).length).toBe(0);
      },
      { timeout: 290_000, interval: 500 },
    );
  }

  /** Our own results have been called stable by Orthanc, looked at, and left alone; nothing is left to be decided on. */
  async function untilQuiet(results: number) {
    await vi.waitFor(
      async () => {
        const never = server.log().match(/"event":"routing\.never".*modality SEG/g) ?? [];
        expect(never.length).toBeGreaterThanOrEqual(results);
        expect(await db.query("select 1 from parse3d.pending_series")).toEqual([]);
        const unfinished = "select 1 from parse3d.jobs where state in ('queued', 'running')";
        expect(await db.query(unfinished)).toEqual([]);
      },
      { timeout: 60_000, interval: 500 },
    );
  }

  async function jobs(): Promise<number> {
    return (await db.query("select 1 from parse3d.jobs")).length;
  }

  const day = Array.from({ length: SERIES }, (_, n) => scanned(n));

  describe("while the server is down", () => {
    test(`are routed when it is back: ${SERIES}, once each; the SEGs that come of it start nothing`, async () => {
      await server.kill();
      await storescu(
        "day",
        day.flatMap((one) => one.slices(SLICES)),
      );
      expect(await jobs()).toBe(0);
      server = await bench.serve(environment);
      await untilAsked(day, 1);
      await untilQuiet(SERIES);
      expect(await jobs()).toBe(SERIES);
      const stored = await db.query("select distinct series_instance_uid from parse3d.stored_instances");
      expect(stored).toHaveLength(SERIES);
      for (const one of day.slice(0, 3)) expect(await bench.results(one.series.studyInstanceUid)).toHaveLength(1);
    });
  });

  test("are asked about anew where an instance comes late, also while the server is down; the others are not", async () => {
    const [first, second] = day as [ArrivingSeries, ArrivingSeries];
    const before = await jobs();
    await storescu("late", [first.slice(SLICES)]);
    await untilAsked([first], 2);
    await server.kill();
    await storescu("late while down", [second.slice(SLICES)]);
    server = await bench.serve(environment);
    await untilAsked([first, second], 2);
    await untilQuiet(1);
    expect(await jobs()).toBe(before + 2);
    for (const one of [first, second]) expect(await bench.results(one.series.studyInstanceUid)).toHaveLength(2);
  });

  test("right before Orthanc is killed, so that it never calls them stable, are routed all the same", async () => {
    const before = await jobs();
    const unstable = scanned(SERIES);
    await storescu("unstable", unstable.slices(SLICES));
    await bench.stopOrthanc();
    await bench.startOrthanc();
    await untilAsked([unstable], 1);
    await untilQuiet(1);
    expect(await jobs()).toBe(before + 1);
  });

  test("to an Orthanc whose database was emptied are routed; what had been asked before, once again sent, is not", async () => {
    const before = await jobs();
    await bench.stopOrthanc();
    await bench.emptyOrthanc();
    await bench.startOrthanc();
    const fresh = Array.from({ length: 5 }, (_, n) => scanned(SERIES + 1 + n));
    await storescu(
      "emptied",
      [...day.slice(5, 10), ...fresh].flatMap((one) => one.slices(SLICES)),
    );
    await untilAsked(fresh, 1);
    await untilQuiet(1);
    expect(await jobs()).toBe(before + fresh.length);
    expect(server.log()).toContain("routing.archive-begun-anew");
  });

  test("while a server with jobs in its data folder is killed are routed once each at its return, at once", async () => {
    await server[Symbol.asyncDispose]();
    const { PARSE3D_DATABASE_URL: _shared, ...own } = environment;
    const embedded = { ...own, PARSE3D_JOBS: "durable" };
    server = await bench.serve(embedded);
    await vi.waitFor(() => expect(server.log()).toContain("routing.begun"), { timeout: 60_000 });
    await server.api.call("putRule", { body: rule });
    await server.kill();
    const few = Array.from({ length: 20 }, (_, n) => scanned(SERIES + 100 + n));
    await storescu(
      "embedded",
      few.flatMap((one) => one.slices(SLICES)),
    );
    server = await bench.serve(embedded);
    const done = async () => {
      const { jobs } = await server.api.call("listJobs", { query: { submittedBy: "routing", limit: "200" } });
      const uid = (request: (typeof jobs)[number]["request"]) =>
        request.kind === "series" ? request.seriesInstanceUid : "";
      return jobs.map(({ state, request }) => `${state} ${uid(request)}`).sort();
    };
    const wanted = few.map((one) => `succeeded ${uidOf(one)}`).sort();
    await vi.waitFor(async () => expect(await done()).toEqual(wanted), { timeout: 120_000, interval: 500 });
    // Their SEGs are looked at and left alone.
    await vi.waitFor(
      () => expect(server.log().match(/routing\.never.*modality SEG/g)?.length).toBeGreaterThanOrEqual(few.length),
      { timeout: 60_000, interval: 500 },
    );
    expect(await done()).toEqual(wanted);
  });
});

/** Stored values of one slice: bone everywhere, 700 HU. */
function bone(): Uint8Array {
  return new Uint8Array(new Uint16Array(SIDE * SIDE).fill(1024 + 700).buffer);
}
