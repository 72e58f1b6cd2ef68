import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Database, openServerDatabase } from "#server/database/index.ts";
import { startOrthanc } from "#server/orthanc/index.ts";
import { createLogger } from "../../server/logger.ts";
import type { ApiClient } from "../../test/fixtures/api-client.ts";
import { startTestPostgres } from "../../test/fixtures/test-postgres.ts";
import { type Figure, percentile, type Report, type Suite, type SuiteOptions } from "../figure.ts";
import { countSegs, DayLog } from "../load/day-log.ts";
import { floorOf, type Holding, holdingOf, slope } from "../load/process-watch.ts";
import { SIDE, SLICES, scanDay, scannedSeries } from "../load/scanner.ts";
import { startServerProcess } from "../load/server-process.ts";

const SERIES = 1500;
/** Sent before they are done, at most: what waits is always much more than what runs. */
const AHEAD = 300;
const SEED = "a day";
/** What a person asks of a series that was routed before. */
const ASKED = "fat";
/** Jobs after which the server is warm. */
const WARM = 15;
const PERSON_EVERY_MS = 4000;
/** Stretches of the day of which the least memory is looked at. */
const FLOORS = 15;

export const programs: Suite["programs"] = {
  Orthanc: ["/usr/sbin/Orthanc", "--version"],
  PostgreSQL: ["psql", "--version"],
};

/** A day's work on this machine: series arrive in an Orthanc and are routed, while a person asks now and then. */
export async function run(report: Report, { series: count = SERIES }: SuiteOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "parse3d-bench-load-"));
  const temporary = join(folder, "tmp");
  await mkdir(temporary);
  try {
    await using postgres = await startTestPostgres();
    await using orthanc = await startOrthanc({ storageFolder: join(folder, "orthanc"), settings: { StableAge: 1 } });
    const url = await postgres.newDatabase();
    await using server = await startServerProcess({
      TMPDIR: temporary,
      PARSE3D_DATA_DIR: join(folder, "data"),
      PARSE3D_DATABASE_URL: url,
      PARSE3D_DICOMWEB_URL: orthanc.dicomwebUrl,
      PARSE3D_ORTHANC_URL: orthanc.baseUrl,
      PARSE3D_ROUTING_POLL_SECONDS: "1",
      PARSE3D_JOB_BACKLOG: String(2 * AHEAD),
      PARSE3D_EXECUTION_PROVIDER: "cpu",
    });
    await using db = openServerDatabase({ url, logger: createLogger({ level: "error" }), connections: 2 });
    await routingBegun(db);
    const rule = {
      id: "day",
      when: { tag: "Modality", equals: "CT" },
      ask: { prompts: ["bone"], model: "density-ct" },
    };
    await server.api.call("putRule", { body: rule });

    report.note(`${count} series of ${SLICES} slices of ${SIDE}x${SIDE} arrive ...`);
    const day = new DayLog(db);
    const held: (Holding & { readonly done: number })[] = [];
    let sent = false;
    const scanner = scanDay(orthanc.baseUrl, { seed: SEED, count, ahead: AHEAD, done: () => day.done }).then(() => {
      sent = true;
    });
    const person = askNowAndThen(server.api, day, () => day.done >= count);
    const startedAt = performance.now();
    for (let toldAt = 0; day.done < count; await sleep(1000)) {
      await Promise.race([day.look(), scanner.then(() => sleep(1000)), person.then(() => sleep(1000))]);
      held.push({ ...(await holdingOf(server.pid)), done: day.done });
      if (performance.now() - toldAt < 10_000) continue;
      toldAt = performance.now();
      const seconds = ((toldAt - startedAt) / 1000).toFixed(0);
      report.note(`${seconds} s: ${day.done} of ${count} done${sent ? "" : ", more arrive"}`);
      if (day.failed > 0) throw new Error(`${day.failed} jobs have failed`);
    }
    await scanner;
    const waits = await person;
    // What the last job opened is closed a moment later.
    await sleep(6000);
    const after = await holdingOf(server.pid);

    for (const figure of await day.figures()) report.figure(figure);
    const asked = `an interactive job's wait, ${waits.length} asked meanwhile`;
    report.figure(percentile(`${asked}: p50`, "ms", waits, 0.5));
    report.figure(percentile(`${asked}: p95`, "ms", waits, 0.95));
    report.figure(one("routed jobs that began before an interactive one that waited", "jobs", await day.overtaken()));
    for (const figure of holdingFigures(held, after)) report.figure(figure);
    const left = await readdir(temporary);
    if (left.length > 0) report.note(`Temporary files: ${left.join(", ")}`);
    report.figure(one("temporary files left", "files", left.length));
    report.figure(one("series without exactly one job", "series", count - (await day.askedOnce())));
    const stored = await countSegs(orthanc.baseUrl);
    report.figure(one("SEGs in the archive, of one for each question", "ratio", stored / (await day.questions())));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The server follows the archive from now on. */
async function routingBegun(db: Database): Promise<void> {
  for (;;) {
    const rows = await db.query("select 1 from parse3d.archive_cursors");
    if (rows.length > 0) return;
    await sleep(100);
  }
}

/** @returns for each question, ms from asking until it began */
async function askNowAndThen(api: ApiClient, day: DayLog, isOver: () => boolean): Promise<readonly number[]> {
  while (!isOver() && day.done < WARM) await sleep(100);
  for (let n = 0; !isOver(); n++) {
    const { series } = scannedSeries(n, SEED);
    const { id } = await api.call("submitJob", { body: { ...series, prompts: [ASKED], model: "density-ct" } });
    await day.answered(id);
    for await (const _event of api.events(id));
    await sleep(PERSON_EVERY_MS);
  }
  return day.interactiveWaitsMs();
}

function holdingFigures(held: readonly (Holding & { readonly done: number })[], after: Holding) {
  const last = held.at(-1) ?? { ...after, done: 0 };
  const warm = held.find(({ done }) => done >= WARM) ?? last;
  // The first third fills caches and pools.
  const later = held.filter(({ done }) => done >= last.done / 3);
  const perJob = (of: (one: Holding) => number) => (1000 * (of(last) - of(warm))) / Math.max(1, last.done - warm.done);
  const course = (of: (one: Holding) => number) => later.map((one) => [one.done, of(one)] as const);
  const rising = (of: (one: Holding) => number) => 1000 * slope(course(of));
  const memory = course(({ memoryMiB }) => memoryMiB);
  return [
    one(
      "processor time of a job in the server, without inference",
      "ms",
      perJob(({ ownSeconds }) => ownSeconds),
    ),
    one(
      "processor time of a job in inference processes",
      "ms",
      perJob(({ childSeconds }) => childSeconds),
    ),
    one("memory of the server and its children, peak", "MiB", Math.max(...held.map(({ memoryMiB }) => memoryMiB))),
    one("memory's slope over the last two thirds", "MiB / 1000 jobs", 1000 * slope(memory)),
    one(
      "slope of memory's floor over the last two thirds",
      "MiB / 1000 jobs",
      1000 * slope(floorOf(memory, last.done / FLOORS)),
    ),
    one(
      "open files' slope over the last two thirds",
      "files / 1000 jobs",
      rising(({ files }) => files),
    ),
    one("open files after the run, less those when warm", "files", after.files - warm.files),
    one("processes after the run, less those when warm", "processes", after.processes - warm.processes),
  ];
}

function one(name: string, unit: string, value: number): Omit<Figure, "suite"> {
  return { name, unit, ours: value, runs: 1, spread: 0 };
}
