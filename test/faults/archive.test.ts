import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type FaultBench,
  jobEnd,
  type ServiceProcess,
  startFaultBench,
  successes,
} from "../fixtures/service-processes.ts";

let bench: FaultBench;
let server: ServiceProcess;
beforeAll(async () => {
  bench = await startFaultBench();
  server = await bench.serve({ PARSE3D_JOBS: "durable" });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await bench?.[Symbol.asyncDispose]();
});

async function submit(seed: string, priority: "batch" | "interactive" = "batch") {
  const series = await bench.newSeries(seed);
  const { id } = await server.api.call("submitJob", { body: { ...series, prompts: ["bone"], priority } });
  return { id, studyInstanceUid: series.studyInstanceUid };
}

async function expectOnce(id: string, studyInstanceUid: string) {
  const job = await jobEnd(server.api, id);
  expect(job).toMatchObject({ state: "succeeded", findings: [{ present: true }] });
  expect(await successes(server.api, id)).toBe(1);
  expect(await bench.results(studyInstanceUid)).toEqual([job.result?.seg?.seriesInstanceUid]);
  return job;
}

test("an archive that is away when a batch job begins is waited for", async () => {
  const series = await bench.newSeries("away before");
  await bench.stopOrthanc();
  const { id } = await server.api.call("submitJob", { body: { ...series, prompts: ["bone"], priority: "batch" } });
  await sleep(1500);
  await bench.startOrthanc();
  await expectOnce(id, series.studyInstanceUid);
});

test("an archive that dies while a series is fetched, and is back later, costs a run", async () => {
  const gate = bench.archive.hold("fetching");
  const { id, studyInstanceUid } = await submit("dies while fetching");
  await gate.reached;
  await bench.stopOrthanc();
  gate.open();
  await sleep(1500);
  await bench.startOrthanc();
  expect((await expectOnce(id, studyInstanceUid)).attempt).toBeGreaterThan(1);
});

test("an archive that dies in the middle of storing holds nothing of the result, and later all of it, once", async () => {
  const gate = bench.archive.hold("storing");
  const { id, studyInstanceUid } = await submit("dies while storing");
  await gate.reached;
  await bench.stopOrthanc();
  gate.open();
  await bench.startOrthanc();
  await expectOnce(id, studyInstanceUid);
});

test("an archive that stored the result and died before it said so holds it once", async () => {
  const gate = bench.archive.hold("stored");
  const { id, studyInstanceUid } = await submit("dies after storing");
  await gate.reached;
  await bench.stopOrthanc();
  gate.open();
  await bench.startOrthanc();
  await expectOnce(id, studyInstanceUid);
});

test.each(["fetching", "storing", "stored"] as const)(
  "a network that is cut while %s is tried again",
  async (moment) => {
    bench.archive.cut(moment);
    const { id, studyInstanceUid } = await submit(`cut while ${moment}`);
    await expectOnce(id, studyInstanceUid);
  },
);

test("a network that is cut each time makes the job a dead letter with its reason; nothing is half-stored", async () => {
  bench.archive.cut("storing", 1000);
  const { id, studyInstanceUid } = await submit("cut for ever");
  const job = await jobEnd(server.api, id);
  expect(job).toMatchObject({ state: "failed", attempt: 5, problem: { retryable: true } });
  expect(job.problem?.code).toMatch(/^pacs-/);
  expect(await bench.results(studyInstanceUid)).toEqual([]);
  bench.archive.cut("storing", 0);
  await server.api.call("retryJob", { params: { id } });
  await expectOnce(id, studyInstanceUid);
});

test("a person is told at once that the archive is away, and asks again", async () => {
  const series = await bench.newSeries("away for a person");
  await bench.stopOrthanc();
  const body = { ...series, prompts: ["bone"] };
  const { id } = await server.api.call("submitJob", { body });
  expect(await jobEnd(server.api, id)).toMatchObject({ state: "failed", problem: { code: "pacs-unavailable" } });
  await bench.startOrthanc();
  const again = await server.api.call("submitJob", { body });
  await expectOnce(again.id, series.studyInstanceUid);
});
