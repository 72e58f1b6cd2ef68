import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  type Database,
  DatabaseInUseError,
  DatabaseUnavailableError,
  migrate,
  openEmbeddedDatabase,
  openServerDatabase,
} from "#server/database/index.ts";
import {
  JobNotFoundError,
  type JobRequest,
  PostgresJobQueue,
  type PostgresJobQueueOptions,
} from "#server/jobs/index.ts";
import { eventually } from "../fixtures/eventually.ts";
import { createFakeRunner } from "../fixtures/fake-runner.ts";
import { createLogReader } from "../fixtures/log-reader.ts";
import { describeWithPostgres, startTestPostgres, type TestPostgres } from "../fixtures/test-postgres.ts";

const { logger } = createLogReader();
const from = { owner: "alice", requestId: "r-1" };
const never = new AbortController().signal;

function ask(text: string): JobRequest {
  return {
    kind: "series",
    series: { studyInstanceUid: "1.2.3", seriesInstanceUid: "1.2.3.4" },
    prompts: [{ id: "p1", text }],
    merge: "exclusive",
    outputs: ["seg"],
  };
}

async function finish(queue: PostgresJobQueue, id: string) {
  for await (const _event of queue.events(id, { signal: never }));
  return queue.get(id);
}

/** A queue in a process of its own. */
function startProcess(address: string, ...prompts: string[]) {
  const entry = join(import.meta.dirname, "../fixtures/queue-process.ts");
  const child: ChildProcess = spawn(process.execPath, [entry, address, ...prompts], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout! }).on("line", (line) => lines.push(line));
  return {
    /** Resolves when it says so; the first start of an embedded database takes its time. */
    says: (line: string) => vi.waitFor(() => expect(lines).toContain(line), { timeout: 120_000, interval: 20 }),
    submitted: () => lines.flatMap((line) => (line.startsWith("submitted ") ? line.slice(10) : [])),
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
    async [Symbol.asyncDispose]() {
      await this.kill();
    },
  };
}

async function newFolder() {
  const path = await mkdtemp(join(tmpdir(), "parse3d-database-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

describe("an embedded database", () => {
  test("keeps jobs of a process that was killed; the one it ran is begun again, the one that waited runs too", async () => {
    await using folder = await newFolder();
    await using dead = startProcess(folder.path, "stay", "next");
    await dead.says("begun stay");
    await eventually(() => expect(dead.submitted()).toHaveLength(2));
    await dead.kill();

    await using db = await openEmbeddedDatabase(folder.path);
    await migrate(db);
    const runner = createFakeRunner();
    await using queue = await PostgresJobQueue.open({ db, runner: runner.run, logger });
    const [ran = "", waited = ""] = dead.submitted();
    expect(await finish(queue, ran)).toMatchObject({ state: "succeeded", attempt: 2 });
    expect(await finish(queue, waited)).toMatchObject({ state: "succeeded", attempt: 1 });
    expect(runner.begun.map(({ prompts }) => prompts[0]?.text)).toEqual(["stay", "next"]);
  });

  test("is open in one process at a time; a lock that a dead process left counts for nothing", async () => {
    await using folder = await newFolder();
    await writeFile(join(folder.path, "in-use-by"), "999999999 1");
    await using db = await openEmbeddedDatabase(folder.path);
    await expect(openEmbeddedDatabase(folder.path)).rejects.toBeInstanceOf(DatabaseInUseError);
    await db[Symbol.asyncDispose]();
    await using again = await openEmbeddedDatabase(folder.path);
    expect(await again.query("select 1 as one")).toEqual([{ one: 1 }]);
  });
});

describeWithPostgres("a PostgreSQL server", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startTestPostgres();
  });
  afterAll(() => postgres?.[Symbol.asyncDispose]());

  async function open(url: string, more: Partial<PostgresJobQueueOptions> = {}) {
    const runner = createFakeRunner();
    const db: Database = openServerDatabase({ url, logger });
    await migrate(db);
    const quick = { heartbeatMs: 50, silentMs: 500, pollMs: 50, progressMs: 20, cancelGraceMs: 300 };
    const queue = await PostgresJobQueue.open({ db, runner: runner.run, logger, backlog: 1000, ...quick, ...more });
    return {
      runner,
      db,
      queue,
      async [Symbol.asyncDispose]() {
        await queue[Symbol.asyncDispose]();
        await db[Symbol.asyncDispose]();
      },
    };
  }

  test("shared by four queues has each of 200 jobs done exactly once", async () => {
    const url = await postgres.newDatabase();
    // Nobody dies here, so nobody who is slow for a moment is to be taken for dead.
    const patient = { concurrency: 2, silentMs: 20_000 };
    await using a = await open(url, patient);
    await using b = await open(url, patient);
    await using c = await open(url, patient);
    await using d = await open(url, patient);
    const workers = [a, b, c, d];
    const jobs = await Promise.all(
      Array.from({ length: 200 }, (_, n) => workers[n % 4]!.queue.submit(ask(`prompt ${n}`), from)),
    );
    for (const { id } of jobs) expect((await finish(a.queue, id)).state).toBe("succeeded");
    const begun = workers.flatMap(({ runner }) => runner.begun.map(({ prompts }) => prompts[0]?.text));
    expect(begun).toHaveLength(200);
    expect(new Set(begun).size).toBe(200);
    for (const { runner } of workers) expect(runner.begun.length).toBeGreaterThan(10);
  });

  test("asked the same by two processes at once answers with one job", async () => {
    const url = await postgres.newDatabase();
    await using a = await open(url);
    await using b = await open(url);
    a.runner.hold();
    b.runner.hold();
    const jobs = await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? a : b).queue.submit(ask("a"), from)),
    );
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(1);
  });

  test("has the job of a killed process taken over by another one, and its events go on", async () => {
    const url = await postgres.newDatabase();
    await using dead = startProcess(url, "stay");
    await dead.says("begun stay");
    await using other = await open(url);
    const [id = ""] = dead.submitted();
    const told: string[] = [];
    const following = (async () => {
      for await (const event of other.queue.events(id, { signal: never }))
        if (event.type === "state") told.push(event.job.state);
    })();
    await dead.kill();
    await following;
    expect(told).toEqual(["queued", "running", "queued", "running", "succeeded"]);
    expect((await other.queue.get(id)).attempt).toBe(2);
  });

  test("counts nothing of a process that was silent for too long and whose job another one took", async () => {
    const url = await postgres.newDatabase();
    await using silent = await open(url, { heartbeatMs: 600_000, pollMs: 600_000 });
    silent.runner.hold();
    silent.runner.ignoreSignals();
    const { id } = await silent.queue.submit(ask("a"), from);
    await eventually(() => expect(silent.runner.atWork).toBe(1));
    await using other = await open(url);
    expect(await finish(other.queue, id)).toMatchObject({ state: "succeeded", attempt: 2 });
    const done = await other.queue.get(id);
    silent.runner.release();
    await eventually(() => expect(silent.runner.atWork).toBe(0));
    expect(await other.queue.get(id)).toEqual(done);
  });

  test("gives up a job that has lost its process three times", async () => {
    const url = await postgres.newDatabase();
    await using db = openServerDatabase({ url, logger });
    await migrate(db);
    let id = "";
    for (let n = 1; n <= 3; n++) {
      await using dead = startProcess(url, ...(n === 1 ? ["stay"] : []));
      await dead.says("begun stay");
      id ||= dead.submitted()[0] ?? "";
      // Submitted as routed, with five attempts; as interactive, it has one.
      await db.query("update parse3d.jobs set attempts = 1");
      await dead.kill();
    }
    await using last = await open(url);
    await eventually(async () => expect(await last.queue.get(id)).toMatchObject({ state: "failed", attempt: 3 }));
    expect(await last.queue.get(id)).toMatchObject({ failure: { code: "model-unavailable", retryable: true } });
    expect(last.runner.begun).toEqual([]);
  });

  test("carries a cancellation to the process that runs the job", async () => {
    const url = await postgres.newDatabase();
    await using a = await open(url);
    await using b = await open(url, { concurrency: 0 });
    a.runner.hold();
    const { id } = await b.queue.submit(ask("a"), from);
    await eventually(() => expect(a.runner.atWork).toBe(1));
    expect((await b.queue.cancel(id)).state).toBe("cancelled");
    await eventually(() => expect(a.runner.atWork).toBe(0));
  });

  test("takes or leaves a job together with what else its transaction does", async () => {
    await using it = await open(await postgres.newDatabase(), { concurrency: 0 });
    let id = "";
    const failing = it.db.transaction(async (sql) => {
      id = (await it.queue.submitWithin(sql, ask("a"), from)).id;
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    await expect(it.queue.get(id)).rejects.toBeInstanceOf(JobNotFoundError);
  });

  test("remembers what was stored in the archive when the job is forgotten", async () => {
    await using it = await open(await postgres.newDatabase(), { history: 1 });
    const first = await it.queue.submit(ask("a"), from);
    await finish(it.queue, first.id);
    await finish(it.queue, (await it.queue.submit(ask("b"), from)).id);
    await expect(it.queue.get(first.id)).rejects.toBeInstanceOf(JobNotFoundError);
    expect(await it.db.query("select sop_instance_uid, job_id from parse3d.stored_instances")).toEqual([
      { sop_instance_uid: "2.25.3", job_id: null },
    ]);
  });

  test("may crash and come back in the middle of a job: its result is not lost, and later jobs run", async () => {
    const url = await postgres.newDatabase();
    await using it = await open(url, { silentMs: 20_000, heartbeatMs: 100 });
    it.runner.hold();
    const { id } = await it.queue.submit(ask("a"), from);
    await eventually(() => expect(it.runner.atWork).toBe(1));
    await postgres.stop();
    await expect(it.queue.get(id)).rejects.toBeInstanceOf(DatabaseUnavailableError);
    it.runner.release();
    await eventually(() => expect(it.runner.atWork).toBe(0));
    await postgres.start();
    await eventually(async () => expect(await it.queue.get(id)).toMatchObject({ state: "succeeded", attempt: 1 }));
    const next = await it.queue.submit(ask("b"), from);
    expect((await finish(it.queue, next.id)).state).toBe("succeeded");
    expect(it.runner.begun).toHaveLength(2);
  });

  test("is migrated once by processes that start together, and not at all by an older program", async () => {
    const url = await postgres.newDatabase();
    const databases = Array.from({ length: 4 }, () => openServerDatabase({ url, logger }));
    await Promise.all(databases.map(migrate));
    const [db] = databases;
    await db!.query("insert into parse3d.migrations (name) values ('9999-later.sql')");
    await expect(migrate(db!)).rejects.toThrow("9999-later.sql");
    for (const one of databases) await one[Symbol.asyncDispose]();
  });
});
