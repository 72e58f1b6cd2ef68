import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { migrate, openServerDatabase } from "#server/database/index.ts";
import { PostgresJobQueue } from "#server/jobs/index.ts";
import { createLogger } from "../../server/logger.ts";
import { startTestPostgres } from "../../test/fixtures/test-postgres.ts";
import { compare, type Report, type Suite } from "../figure.ts";

const JOBS = 60;
/** What a job takes: an engine that sleeps, so that two processes on few cores do not wait for one another. */
const JOB_MS = 200;
const RUNS = 3;

export const programs: Suite["programs"] = {};

/** The same jobs on one PostgreSQL, done by one process and by two. */
export async function run(report: Report): Promise<void> {
  await using postgres = await startTestPostgres();
  const one: number[] = [];
  const two: number[] = [];
  for (let n = 0; n < RUNS; n++) {
    report.note(`Run ${n + 1} of ${RUNS} ...`);
    one.push(await secondsFor(1, await postgres.newDatabase()));
    two.push(await secondsFor(2, await postgres.newDatabase()));
  }
  const what = `${JOBS} jobs of ${JOB_MS} ms on one PostgreSQL, two workers`;
  report.figure(compare(what, "s", two, { name: "one worker", samples: one }));
}

/** Seconds from the first start of a job to the last end of one, by the database's clock. */
async function secondsFor(workers: number, url: string): Promise<number> {
  const logger = createLogger({ level: "error" });
  await using db = openServerDatabase({ url, logger });
  await migrate(db);
  const asking = { db, logger, concurrency: 0, backlog: JOBS, runner: () => Promise.reject(new Error("asks only")) };
  await using queue = await PostgresJobQueue.open(asking);
  const entry = join(import.meta.dirname, "../sleeping-worker.ts");
  const processes = Array.from({ length: workers }, () =>
    spawn(process.execPath, [entry, url, String(JOB_MS)], { stdio: ["ignore", "pipe", "inherit"] }),
  );
  try {
    await Promise.all(processes.map(({ stdout }) => once(stdout, "data")));
    for (let n = 0; n < JOBS; n++) {
      const series = { studyInstanceUid: "1.2.3", seriesInstanceUid: `1.2.3.${n + 1}` };
      const prompts = [{ id: "p1", text: "bone" }];
      const request = { kind: "series", series, prompts, merge: "exclusive", outputs: ["seg"] } as const;
      await queue.submit(request, { owner: "bench", requestId: String(n), priority: "batch" });
    }
    for (;;) {
      const { queued, running } = await queue.load();
      if (queued + running === 0) break;
      await sleep(50);
    }
  } finally {
    for (const child of processes) {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    }
  }
  const [row] = await db.query<{ seconds: number }>(
    "select extract(epoch from max(finished_at) - min(started_at))::double precision as seconds from parse3d.jobs",
  );
  return row?.seconds ?? Number.NaN;
}
