import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FaultBench, jobEnd, startFaultBench, successes } from "../fixtures/service-processes.ts";
import { describeWithPostgres, startTestPostgres, type TestPostgres } from "../fixtures/test-postgres.ts";

describeWithPostgres("a PostgreSQL that a server and a worker share", () => {
  let bench: FaultBench;
  let postgres: TestPostgres;
  beforeAll(async () => {
    bench = await startFaultBench();
    postgres = await startTestPostgres();
  });
  afterAll(async () => {
    await postgres?.[Symbol.asyncDispose]();
    await bench?.[Symbol.asyncDispose]();
  });

  test.each([
    ["fetching", 0],
    ["storing", 0],
    ["stored", 0],
    // Longer than a silent process counts as alive: the job is begun anew.
    ["stored", 9000],
  ] as const)("may crash while %s, and be away for %i ms more: the job is done once", async (moment, awayMs) => {
    const environment = { PARSE3D_DATABASE_URL: await postgres.newDatabase() };
    await using server = await bench.serve(environment, "--no-worker");
    await using _worker = await bench.worker(environment);
    const series = await bench.newSeries(`crash while ${moment} ${awayMs}`);
    const gate = bench.archive.hold(moment);
    const body = { ...series, prompts: ["bone"], priority: "batch" } as const;
    const { id } = await server.api.call("submitJob", { body });
    await gate.reached;
    await postgres.stop();
    gate.open();
    const answer = await server.api.send("readJob", { params: { id } });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([503, "database-unavailable"]);
    await sleep(awayMs);
    await postgres.start();
    const job = await jobEnd(server.api, id);
    expect(job).toMatchObject({ state: "succeeded", findings: [{ present: true }] });
    expect(await successes(server.api, id)).toBe(1);
    expect(await bench.results(series.studyInstanceUid)).toEqual([job.result?.seg?.seriesInstanceUid]);
  });
});
