import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type FaultBench,
  jobEnd,
  type ServiceProcess,
  startFaultBench,
  successes,
} from "../fixtures/service-processes.ts";
import { describeWithPostgres, startTestPostgres, type TestPostgres } from "../fixtures/test-postgres.ts";

let bench: FaultBench;
beforeAll(async () => {
  bench = await startFaultBench();
});
afterAll(() => bench?.[Symbol.asyncDispose]());

/** Where in a job the kill comes: by the archive, which is stopped there, or by what the job tells. */
const stages = ["fetch", "decode", "infer", "encode", "stored"] as const;
type Stage = (typeof stages)[number];

/** Submits a batch job about a new series, and brings it to the stage. */
async function bringTo(stage: Stage, { api }: ServiceProcess, seed: string) {
  const series = await bench.newSeries(seed);
  const gate =
    stage === "fetch" ? bench.archive.hold("fetching") : stage === "stored" ? bench.archive.hold("stored") : undefined;
  const body = { ...series, prompts: ["bone"], priority: "batch" } as const;
  const { id } = await api.call("submitJob", { body });
  if (gate) {
    await gate.reached;
    return { id, series, open: gate.open };
  }
  for await (const event of api.events(id)) {
    if (stage === "encode" ? event.type === "finding" : event.type === "progress" && reached(event.stage, stage)) break;
    if (event.type === "state" && event.job.state === "succeeded") break;
  }
  return { id, series, open: () => {} };
}

const order = ["queued", "fetch", "decode", "prepare", "infer", "encode", "store", "done"];

function reached(now: string, stage: string): boolean {
  return order.indexOf(now) >= order.indexOf(stage);
}

async function expectOnce({ api }: ServiceProcess, id: string, studyInstanceUid: string) {
  const job = await jobEnd(api, id);
  expect(job).toMatchObject({ state: "succeeded", findings: [{ present: true }] });
  expect(await successes(api, id)).toBe(1);
  expect(await bench.results(studyInstanceUid)).toEqual([job.result?.seg?.seriesInstanceUid]);
  return job;
}

describe("a server with jobs in its data folder that is killed", () => {
  test.each(stages)("at %s does the job once, when it is back", async (stage) => {
    const environment = { PARSE3D_JOBS: "durable" };
    await using first = await bench.serve(environment);
    const { id, series, open } = await bringTo(stage, first, `embedded ${stage}`);
    await first.kill();
    open();
    await using second = await bench.serve(environment);
    await expectOnce(second, id, series.studyInstanceUid);
  });
});

describeWithPostgres("with jobs on a PostgreSQL server", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startTestPostgres();
  });
  afterAll(() => postgres?.[Symbol.asyncDispose]());

  test.each(stages)(
    "a server that is killed at %s leaves the job to another one, which does it once",
    async (stage) => {
      const environment = { PARSE3D_DATABASE_URL: await postgres.newDatabase() };
      await using first = await bench.serve(environment);
      const { id, series, open } = await bringTo(stage, first, `server ${stage}`);
      await first.kill();
      open();
      await using second = await bench.serve(environment);
      await expectOnce(second, id, series.studyInstanceUid);
    },
  );

  test.each(stages)(
    "a worker that is killed at %s leaves the job to another one, and the server goes on",
    async (stage) => {
      const environment = { PARSE3D_DATABASE_URL: await postgres.newDatabase() };
      await using server = await bench.serve(environment, "--no-worker");
      await using first = await bench.worker(environment);
      const { id, series, open } = await bringTo(stage, server, `worker ${stage}`);
      await first.kill();
      open();
      await using _second = await bench.worker(environment);
      const job = await expectOnce(server, id, series.studyInstanceUid);
      if (stage === "fetch" || stage === "stored") expect(job.attempt).toBe(2);
    },
  );

  test.each(stages)(
    "an inference process that is killed at %s costs a batch job a second run at most",
    async (stage) => {
      const environment = { PARSE3D_DATABASE_URL: await postgres.newDatabase() };
      await using server = await bench.serve(environment);
      const warm = await bringTo("encode", server, `warm for ${stage}`);
      await jobEnd(server.api, warm.id);
      const { id, series, open } = await bringTo(stage, server, `inference ${stage}`);
      expect(await server.killInference()).toBeGreaterThan(0);
      open();
      await expectOnce(server, id, series.studyInstanceUid);
    },
  );

  test("a job that is cancelled at a server is stopped on the machine that runs it", async () => {
    const environment = { PARSE3D_DATABASE_URL: await postgres.newDatabase() };
    await using server = await bench.serve(environment, "--no-worker");
    await using _worker = await bench.worker(environment);
    const { id, series, open } = await bringTo("fetch", server, "cancelled");
    expect((await server.api.call("cancelJob", { params: { id } })).state).toBe("cancelled");
    open();
    const next = await server.api.call("submitJob", { body: { ...series, prompts: ["air"] } });
    expect((await jobEnd(server.api, next.id)).state).toBe("succeeded");
    expect(await bench.results(series.studyInstanceUid)).toHaveLength(1);
  });
});
