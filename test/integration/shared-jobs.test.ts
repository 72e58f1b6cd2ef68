import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Database, migrate, openServerDatabase } from "#server/database/index.ts";
import { PacsUnavailableError } from "#server/domain/index.ts";
import { choosingAmong } from "#server/engines/index.ts";
import { type JobRequest, PostgresJobQueue, type PostgresJobQueueOptions } from "#server/jobs/index.ts";
import { eventually } from "../fixtures/eventually.ts";
import { createFakeRunner } from "../fixtures/fake-runner.ts";
import { createLogReader } from "../fixtures/log-reader.ts";
import { describeWithPostgres, startTestPostgres, type TestPostgres } from "../fixtures/test-postgres.ts";
import { densityCard } from "../fixtures/test-server.ts";

const { logger } = createLogReader();
const from = { owner: "alice", requestId: "r-1" };
const never = new AbortController().signal;
const device = { executionProvider: "cpu", cpus: 2, memoryBytes: 1, gpus: [] };

function ask(text: string, model?: string): JobRequest {
  return {
    kind: "series",
    series: { studyInstanceUid: "1.2.3", seriesInstanceUid: "1.2.3.4" },
    prompts: [{ id: "p1", text }],
    merge: "exclusive",
    outputs: ["seg"],
    ...(model !== undefined && { model }),
  };
}

function cardOf(name: string) {
  return { ...densityCard, name, trained: name.startsWith("trained") };
}

/** What was committed is told six heartbeats later. */
function slowToAnswer(db: Database): Database {
  return {
    kind: db.kind,
    query: (...statement) => db.query(...statement),
    script: (...text) => db.script(...text),
    listen: (...channel) => db.listen(...channel),
    async transaction(work) {
      const answer = await db.transaction(work);
      await setTimeout(300);
      return answer;
    },
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}

async function finish(queue: PostgresJobQueue, id: string) {
  for await (const _event of queue.events(id, { signal: never }));
  return queue.get(id);
}

describeWithPostgres("machines that share one PostgreSQL", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startTestPostgres();
  });
  afterAll(() => postgres?.[Symbol.asyncDispose]());

  /** A machine with these models; its fake network answers with the first that its registry chooses. */
  async function machine(
    url: string,
    models: readonly string[],
    more: Partial<PostgresJobQueueOptions> = {},
    connection = (db: Database) => db,
  ) {
    const fake = createFakeRunner();
    const db = connection(openServerDatabase({ url, logger }));
    await migrate(db);
    const cards = models.map(cardOf);
    const own = {
      cards: async () => cards,
      choose: async () => ({}) as never,
      [Symbol.asyncDispose]: async () => {},
    };
    const queue = await PostgresJobQueue.open({
      db,
      logger,
      runner: async (request, run) => {
        const { prompts } = request;
        if (request.model === undefined) {
          await choosingAmong(own, run.elsewhere ?? []).choose({ modality: "CT", prompts });
        }
        return fake.run(request, run);
      },
      offer: async () => ({ version: "1.2.3", device, models: cards }),
      heartbeatMs: 50,
      silentMs: 500,
      pollMs: 50,
      progressMs: 20,
      cancelGraceMs: 300,
      ...more,
    });
    return {
      fake,
      db,
      queue,
      async [Symbol.asyncDispose]() {
        await queue[Symbol.asyncDispose]();
        await db[Symbol.asyncDispose]();
      },
    };
  }

  test("announce what they are and what they offer; one that does no jobs, or is gone, is not listed", async () => {
    const url = await postgres.newDatabase();
    await using server = await machine(url, [], { concurrency: 0 });
    {
      await using _a = await machine(url, ["trained-ct", "density-ct"], { concurrency: 2 });
      expect(await server.queue.workers()).toMatchObject([
        { concurrency: 2, running: 0, pid: process.pid, version: "1.2.3", device },
      ]);
      expect((await server.queue.workers())[0]?.models.map(({ name }) => name)).toEqual(["trained-ct", "density-ct"]);
    }
    expect(await server.queue.workers()).toEqual([]);
  });

  test("take only jobs whose model they have", async () => {
    const url = await postgres.newDatabase();
    await using server = await machine(url, [], { concurrency: 0 });
    await using a = await machine(url, ["trained-a"]);
    await using b = await machine(url, ["trained-b"]);
    const jobs = [];
    for (const [n, model] of ["trained-a", "trained-b", "trained-b", "trained-b"].entries()) {
      jobs.push(await server.queue.submit(ask(`prompt ${n}`, model), from));
    }
    for (const { id } of jobs) expect((await finish(server.queue, id)).state).toBe("succeeded");
    expect(a.fake.begun.map(({ model }) => model)).toEqual(["trained-a"]);
    expect(b.fake.begun.map(({ model }) => model)).toEqual(["trained-b", "trained-b", "trained-b"]);
  });

  test("answer a question that names no model with the best of all, whichever of them took it", async () => {
    const url = await postgres.newDatabase();
    await using rules = await machine(url, ["density-ct"]);
    await using gpu = await machine(url, ["trained-ct"]);
    for (let n = 0; n < 6; n++) {
      const { id } = await rules.queue.submit(ask(`prompt ${n}`), from);
      expect(await finish(rules.queue, id)).toMatchObject({ state: "succeeded", attempt: 1 });
    }
    expect([rules.fake.begun.length, gpu.fake.begun.length]).toEqual([0, 6]);
  });

  test("find what was answered on another of them, and nothing of what is asked anew there", async () => {
    const url = await postgres.newDatabase();
    await using server = await machine(url, [], { concurrency: 0 });
    await using a = await machine(url, ["trained-a"]);
    const { id } = await a.queue.submit(ask("x"), from);
    const done = await finish(a.queue, id);
    expect(await server.queue.findAnswered(ask("x"), from.owner)).toEqual(done);
    a.fake.hold();
    await a.queue.submit(ask("x"), { ...from, force: true });
    expect(await server.queue.findAnswered(ask("x"), from.owner)).toBeUndefined();
    a.fake.release();
  });

  test("do not make a person wait for a model that nobody has; a batch waits for it", async () => {
    const url = await postgres.newDatabase();
    await using a = await machine(url, ["trained-a"]);
    const asked = await a.queue.submit(ask("x", "trained-b"), from);
    // Taken by whoever is there, whose registry then says that there is no such model.
    await finish(a.queue, asked.id);
    expect(a.fake.begun).toHaveLength(1);
    const batch = await a.queue.submit(ask("y", "trained-b"), { ...from, priority: "batch" });
    const next = await a.queue.submit(ask("z", "trained-a"), { ...from, priority: "batch" });
    await finish(a.queue, next.id);
    expect((await a.queue.get(batch.id)).state).toBe("queued");
    await using _b = await machine(url, ["trained-b"]);
    expect((await finish(a.queue, batch.id)).state).toBe("succeeded");
  });

  test("hold back while they have no room, and say why; the job is done when there is room", async () => {
    const url = await postgres.newDatabase();
    let lack: string | undefined = "The disk is full.";
    await using a = await machine(url, ["trained-a"], { room: async () => lack });
    const { id } = await a.queue.submit(ask("x"), from);
    await eventually(async () => expect(await a.queue.workers()).toMatchObject([{ holdsBack: "The disk is full." }]));
    expect((await a.queue.get(id)).state).toBe("queued");
    lack = undefined;
    expect((await finish(a.queue, id)).state).toBe("succeeded");
    await eventually(async () => expect((await a.queue.workers())[0]?.holdsBack).toBeUndefined());
  });

  test("take up again a job whose claim was committed while its answer was lost", async () => {
    const url = await postgres.newDatabase();
    await using a = await machine(url, ["trained-a"], { concurrency: 1 });
    const [worker] = await a.queue.workers();
    a.fake.hold();
    const first = await a.queue.submit(ask("first", "trained-a"), from);
    await eventually(() => expect(a.fake.atWork).toBe(1));
    const stray = await a.queue.submit(ask("stray", "trained-a"), { ...from, priority: "batch" });
    await a.db.query(
      "update parse3d.jobs set state = 'running', worker_id = $2, attempt = 1, started_at = now() where id = $1",
      [stray.id, worker?.id ?? ""],
    );
    await eventually(async () => expect((await a.queue.get(stray.id)).state).toBe("queued"));
    a.fake.release();
    expect((await finish(a.queue, first.id)).state).toBe("succeeded");
    expect(await finish(a.queue, stray.id)).toMatchObject({ state: "succeeded", attempt: 2 });
  });

  test("begin a job once, however slowly its claim is answered", async () => {
    const url = await postgres.newDatabase();
    await using a = await machine(url, ["trained-a"], {}, slowToAnswer);
    const { id } = await a.queue.submit(ask("x", "trained-a"), from);
    expect(await finish(a.queue, id)).toMatchObject({ state: "succeeded", attempt: 1 });
    expect(a.fake.begun).toHaveLength(1);
  });

  test("lose no retry of a job that another one begins anew", async () => {
    const url = await postgres.newDatabase();
    const retry = { attempts: 4, firstDelayMs: 10, maxDelayMs: 20 };
    await using a = await machine(url, ["trained-a"], { retry });
    await using b = await machine(url, ["trained-a"], { retry });
    a.fake.failWith(new PacsUnavailableError("The archive is away."));
    b.fake.failWith(new PacsUnavailableError("The archive is away."));
    const { id } = await a.queue.submit(ask("x"), { ...from, priority: "batch" });
    expect(await finish(b.queue, id)).toMatchObject({ state: "failed", attempt: 4 });
    await vi.waitFor(() => expect(a.fake.begun.length + b.fake.begun.length).toBe(4));
  });
});
