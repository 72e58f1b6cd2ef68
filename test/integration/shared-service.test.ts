import { afterAll, beforeAll, expect, test } from "vitest";
import { type FaultBench, jobEnd, startFaultBench, successes } from "../fixtures/service-processes.ts";
import { describeWithPostgres, startTestPostgres, type TestPostgres } from "../fixtures/test-postgres.ts";

/** The short core of test/faults, which `npm run test:faults` runs whole. */
describeWithPostgres("a server without a worker, and workers beside it", () => {
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

  test("do a job whose worker is killed between storing and noting it once, and tell who they are; a second question fetches nothing", async () => {
    const environment = { PARSE3D_DATABASE_URL: await postgres.newDatabase() };
    await using server = await bench.serve(environment, "--no-worker");
    const nobody = (await (await server.api.send("ready")).json()) as { checks: Record<string, unknown> };
    expect(nobody.checks.workers).toMatchObject({ ok: false, why: expect.stringContaining("parse3d worker") });

    await using first = await bench.worker(environment);
    const { workers } = await server.api.call("listWorkers");
    expect(workers).toMatchObject([{ pid: first.pid, concurrency: 1, models: expect.arrayContaining(["density-ct"]) }]);
    expect((await server.api.call("listModels")).models.map(({ name }) => name)).toContain("density-ct");

    const series = await bench.newSeries("core");
    const gate = bench.archive.hold("stored");
    const asked = { ...series, priority: "batch" } as const;
    const { id } = await server.api.call("submitJob", { body: { ...asked, prompts: ["bone"] } });
    await gate.reached;
    await first.kill();
    gate.open();
    await using _second = await bench.worker(environment);
    const job = await jobEnd(server.api, id);
    expect(job).toMatchObject({ state: "succeeded", attempt: 2, findings: [{ present: true }] });
    expect(await successes(server.api, id)).toBe(1);
    expect(await bench.results(series.studyInstanceUid)).toEqual([job.result?.seg?.seriesInstanceUid]);

    const { retrieved } = bench.archive;
    const next = await server.api.call("submitJob", { body: { ...asked, prompts: ["air"] } });
    expect((await jobEnd(server.api, next.id)).state).toBe("succeeded");
    expect(bench.archive.retrieved).toBe(retrieved);
  });

  test("take a rule with a warning while nobody has announced a model, and refuse it once somebody has", async () => {
    const environment = {
      PARSE3D_DATABASE_URL: await postgres.newDatabase(),
      PARSE3D_ORTHANC_URL: bench.orthanc().baseUrl,
    };
    await using server = await bench.serve(environment, "--no-worker");
    const ask = { prompts: ["bone"], model: "of-tomorrow" };
    const body = { id: "early", when: { tag: "Modality", equals: "CT" }, ask };
    const taken = await server.api.call("putRule", { body });
    expect(taken.warnings).toEqual([expect.stringContaining("start a worker")]);
    await using _worker = await bench.worker(environment);
    const refused = await server.api.send("putRule", { body });
    expect(refused.status).toBe(422);
    expect(await refused.json()).toMatchObject({
      code: "model-not-found",
      details: { models: expect.arrayContaining(["density-ct"]) },
    });
    expect(await server.api.call("putRule", { body: { ...body, ask: { ...ask, model: "density-ct" } } })).toMatchObject(
      {
        id: "early",
      },
    );
    expect((await server.api.call("listRules")).rules).toHaveLength(1);
  });

  test("refuse a file, which they could not read", async () => {
    const environment = { PARSE3D_DATABASE_URL: await postgres.newDatabase() };
    await using server = await bench.serve(environment, "--no-worker");
    const form = new FormData();
    form.set("prompts", "bone");
    form.set("modality", "CT");
    form.set("file", new Blob([new Uint8Array(400)]), "x.nii");
    const answer = await server.api.send("segmentNifti", { form });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: "model-unavailable", retryable: false });
  });
});
