import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Destination } from "#server/contract/index.ts";
import { type Database, openEmbeddedDatabase } from "#server/database/index.ts";
import { type Dicomweb, openDicomweb } from "#server/dicomweb/index.ts";
import { type JobRunner, PostgresJobQueue } from "#server/jobs/index.ts";
import { freePort, type Orthanc } from "#server/orthanc/index.ts";
import { checkDestination, type DestinationParts, sendOn } from "#server/outbox/index.ts";
import { arrivingSeries, sendTo } from "../fixtures/arrivals.ts";
import { eventually } from "../fixtures/eventually.ts";
import { createLogReader } from "../fixtures/log-reader.ts";
import { startTestOrthanc } from "../fixtures/test-orthanc.ts";
import { resetDatabase } from "../fixtures/test-postgres.ts";

const stack = new AsyncDisposableStack();
const { logger } = createLogReader();
let db: Database;
let here: Orthanc;
let there: Orthanc;
let parts: DestinationParts;

beforeAll(async () => {
  db = stack.use(await openEmbeddedDatabase());
  const dicomPort = await freePort();
  const gonePort = await freePort();
  there = stack.use(
    await startTestOrthanc({
      DicomServerEnabled: true,
      DicomPort: dicomPort,
      DicomCheckCalledAet: false,
      DicomAlwaysAllowStore: true,
    }),
  );
  here = stack.use(
    await startTestOrthanc({
      DicomModalities: { PACS: ["ORTHANC", "127.0.0.1", dicomPort], GONE: ["NOBODY", "127.0.0.1", gonePort] },
      OrthancPeers: { other: [`${there.baseUrl}/`] },
    }),
  );
  const open = (url: string): Dicomweb => stack.use(openDicomweb({ url }));
  parts = {
    archive: open(here.dicomwebUrl).archive,
    dicomweb: new Map([["research", open(there.dicomwebUrl)]]),
    orthanc: { url: here.baseUrl, headers: {} },
  };
});
beforeEach(() => resetDatabase(db));
afterAll(() => stack.disposeAsync());

const quickly = { firstDelayMs: 50, pollMs: 20 };

/** A job whose result is an instance that lies in the archive, for a rule with this destination. */
async function finishJob(seed: string, destination: Destination) {
  const arriving = arrivingSeries(seed);
  await sendTo(here.baseUrl, [arriving.slice(0)]);
  const [found] = await parts.archive.listInstances(arriving.series, { signal: new AbortController().signal });
  const seg = { ...arriving.series, sopInstanceUid: found ?? "" };
  const run = async () => ({ seg, model: { name: "m", version: "1" }, notes: ["before"], seconds: {} });
  const queue = await PostgresJobQueue.open({
    db,
    runner: run as unknown as JobRunner,
    logger,
    concurrency: 1,
    pollMs: 20,
  });
  const job = await db.transaction(async (sql) => {
    const submitted = await queue.submitWithin(
      sql,
      {
        kind: "series",
        series: arriving.series,
        prompts: [{ id: "p1", text: "x" }],
        merge: "exclusive",
        outputs: ["seg"],
      },
      { owner: "routing", requestId: "r", priority: "routed", ruleId: "a", force: true },
    );
    await sql.query("update parse3d.jobs set destination = $2::jsonb where id = $1", [
      submitted.id,
      JSON.stringify(destination),
    ]);
    return submitted;
  });
  await eventually(async () => expect((await queue.get(job.id)).state).toBe("succeeded"));
  return {
    sopInstanceUid: seg.sopInstanceUid,
    notes: async () => {
      const ended = await queue.get(job.id);
      return ended.state === "succeeded" ? ended.result.notes : [];
    },
    [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose](),
  };
}

async function isThere(sopInstanceUid: string): Promise<boolean> {
  const lookup = await fetch(`${there.baseUrl}/tools/lookup`, { method: "POST", body: sopInstanceUid });
  return ((await lookup.json()) as unknown[]).length > 0;
}

test.each([
  ["another DICOMweb archive", { dicomweb: "research" }, "Sent to the archive research."],
  ["a modality, by C-STORE", { modality: "PACS" }, "Sent to the modality PACS."],
  ["another Orthanc", { peer: "other" }, "Sent to the peer other."],
] as const)("a result is sent on to %s, and the job says so", async (what, destination, note) => {
  await using job = await finishJob(what, destination);
  expect(await isThere(job.sopInstanceUid)).toBe(false);
  await using _sending = sendOn({ db, logger, parts, ...quickly });
  await eventually(async () => expect(await job.notes()).toEqual(["before", note]));
  expect(await isThere(job.sopInstanceUid)).toBe(true);
  expect(await db.query("select 1 from parse3d.outbox")).toEqual([]);
});

test("a destination that is away is tried again, and then given up: the job keeps its result and says why", async () => {
  await using job = await finishJob("gone", { modality: "GONE" });
  await using _sending = sendOn({ db, logger, parts, ...quickly, tries: 2 });
  await eventually(async () =>
    expect(await job.notes()).toEqual([
      "before",
      "Not sent to the modality GONE, after 2 tries: Orthanc answers 500 to sending: see its log.",
    ]),
  );
});

test("an archive that is away is named by the setting that names it, in the job's notes and in the log", async () => {
  await using job = await finishJob("away", { dicomweb: "away" });
  const lines = createLogReader();
  const url = `http://127.0.0.1:${await freePort()}/dicom-web`;
  const setting = "PARSE3D_DESTINATIONS (away)";
  using away = openDicomweb({ url, setting, logger: lines.logger, retry: { attempts: 2, firstDelayMs: 1 } });
  const others = { ...parts, dicomweb: new Map([["away", away]]) };
  await using _sending = sendOn({ db, logger: lines.logger, parts: others, ...quickly, tries: 1 });
  await eventually(async () =>
    expect(await job.notes()).toEqual([
      "before",
      "Not sent to the archive away, after 1 tries: The archive cannot be reached: start it, or check PARSE3D_DESTINATIONS (away) and the network.",
    ]),
  );
  expect(lines.lines().map(({ event, reason }) => [event, String(reason).includes(setting)])).toEqual([
    ["dicomweb.retry", true],
    ["outbox.given-up", true],
  ]);
  expect(lines.text()).not.toContain("PARSE3D_DICOMWEB");
});

test("a rule's destination has to be one that the configuration, or Orthanc, names", async () => {
  await checkDestination(parts, { dicomweb: "research" });
  await checkDestination(parts, { modality: "PACS" });
  await checkDestination(parts, { peer: "other" });
  await expect(checkDestination(parts, { dicomweb: "else" })).rejects.toThrow("PARSE3D_DESTINATIONS names research");
  await expect(checkDestination(parts, { modality: "else" })).rejects.toThrow("modalities are GONE, PACS");
  const { orthanc: _none, ...alone } = parts;
  await expect(checkDestination(alone, { peer: "other" })).rejects.toThrow("PARSE3D_ORTHANC_URL");
});
