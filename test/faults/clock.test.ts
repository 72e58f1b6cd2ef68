import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { ApiClient } from "../fixtures/api-client.ts";
import { createFakeClock, describeWithFakeClock } from "../fixtures/fake-clock.ts";
import { type FaultBench, jobEnd, startFaultBench, successes } from "../fixtures/service-processes.ts";
import { describeWithPostgres, startTestPostgres } from "../fixtures/test-postgres.ts";

/** Longer than a heartbeat, and than looking for what no notice told of. */
const AWHILE_MS = 3000;

describeWithFakeClock("a time of day that leaps", () => {
  let bench: FaultBench;
  beforeAll(async () => {
    bench = await startFaultBench();
  });
  afterAll(() => bench?.[Symbol.asyncDispose]());

  async function submit(api: ApiClient, seed: string) {
    const series = await bench.newSeries(seed);
    const body = { ...series, prompts: ["bone"], priority: "batch" } as const;
    const { id } = await api.call("submitJob", { body });
    return { id, studyInstanceUid: series.studyInstanceUid };
  }

  async function expectOnce(api: ApiClient, { id, studyInstanceUid }: Awaited<ReturnType<typeof submit>>) {
    const job = await jobEnd(api, id);
    expect(job).toMatchObject({ state: "succeeded", findings: [{ present: true }] });
    expect(await successes(api, id)).toBe(1);
    expect(await bench.results(studyInstanceUid)).toEqual([job.result?.seg?.seriesInstanceUid]);
    return job;
  }

  test("by six hours, and back by twelve, takes no job from a server that keeps them itself, and holds up none that waits", async () => {
    using clock = createFakeClock();
    await using server = await bench.serve({ PARSE3D_JOBS: "durable", ...clock.environment });
    const gate = bench.archive.hold("fetching");
    const running = await submit(server.api, "embedded runs");
    await gate.reached;
    const waiting = await submit(server.api, "embedded waits");
    for (const hours of [6, -6]) {
      await clock.set(hours);
      await sleep(AWHILE_MS);
    }
    gate.open();
    expect((await expectOnce(server.api, running)).attempt).toBe(1);
    expect((await expectOnce(server.api, waiting)).attempt).toBe(1);
  });

  describeWithPostgres("of a PostgreSQL and all that share it", () => {
    /** A PostgreSQL, a server and a worker that go by one clock. */
    async function startAll(more: Readonly<Record<string, string>> = {}) {
      await using starting = new AsyncDisposableStack();
      const clock = starting.use(createFakeClock());
      const postgres = starting.use(await startTestPostgres(clock.environment));
      const environment = { PARSE3D_DATABASE_URL: await postgres.newDatabase(), ...clock.environment, ...more };
      const server = starting.use(await bench.serve(environment, "--no-worker"));
      const worker = starting.use(await bench.worker(environment));
      const started = starting.move();
      return { clock, environment, server, worker, [Symbol.asyncDispose]: () => started.disposeAsync() };
    }

    test("by six hours, and back by twelve, makes nobody take a job that runs, and holds up none that waits", async () => {
      await using it = await startAll();
      const gate = bench.archive.hold("fetching");
      const running = await submit(it.server.api, "shared runs");
      await gate.reached;
      const waiting = await submit(it.server.api, "shared waits");
      for (const hours of [6, -6]) {
        await it.clock.set(hours);
        await sleep(AWHILE_MS);
      }
      gate.open();
      expect((await expectOnce(it.server.api, running)).attempt).toBe(1);
      expect((await expectOnce(it.server.api, waiting)).attempt).toBe(1);
    });

    test("back by six hours hides no worker that was killed: its job is done by another one", async () => {
      await using it = await startAll();
      const gate = bench.archive.hold("fetching");
      const job = await submit(it.server.api, "shared killed");
      await gate.reached;
      await it.worker.kill();
      await it.clock.set(-6);
      gate.open();
      await using _other = await bench.worker(it.environment);
      expect((await expectOnce(it.server.api, job)).attempt).toBe(2);
    });

    test("back by six hours makes a failed job wait for its next run no longer than it would have", async () => {
      await using it = await startAll({ PARSE3D_JOB_RETRY_SECONDS: "20" });
      const { api } = it.server;
      const gate = bench.archive.hold("fetching");
      const job = await submit(api, "shared retried");
      await gate.reached;
      await bench.stopOrthanc();
      gate.open();
      await vi.waitFor(
        async () =>
          expect(await api.call("readJob", { params: { id: job.id } })).toMatchObject({ state: "queued", attempt: 1 }),
        { timeout: 60_000, interval: 50 },
      );
      await bench.startOrthanc();
      await it.clock.set(-6);
      await expectOnce(api, job);
    });
  });
});
