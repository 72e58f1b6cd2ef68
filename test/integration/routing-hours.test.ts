import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Database, openEmbeddedDatabase } from "#server/database/index.ts";
import { type JobRequest, PostgresJobQueue } from "#server/jobs/index.ts";
import { eventually } from "../fixtures/eventually.ts";
import { createFakeRunner } from "../fixtures/fake-runner.ts";
import { createLogReader } from "../fixtures/log-reader.ts";
import { resetDatabase } from "../fixtures/test-postgres.ts";

let db: Database;
beforeAll(async () => {
  db = await openEmbeddedDatabase();
});
beforeEach(() => resetDatabase(db));
afterAll(() => db?.[Symbol.asyncDispose]());

const { logger } = createLogReader();

/** Seconds until hours begin, at a moment. */
async function wait(hours: object | null, at: string): Promise<number | undefined> {
  const [row] = await db.query<{ seconds: number }>(
    "select parse3d.seconds_until($1::jsonb, $2::timestamptz) as seconds",
    [hours && JSON.stringify(hours), at],
  );
  return row?.seconds;
}

describe("hours in which jobs may begin", () => {
  test("go over midnight where they begin later than they end; the first minute belongs to them, the last does not", async () => {
    const night = { from: "22:00", to: "06:00", timeZone: "UTC" };
    expect(await wait(night, "2026-01-15T22:00:00Z")).toBe(0);
    expect(await wait(night, "2026-01-15T23:59:59Z")).toBe(0);
    expect(await wait(night, "2026-01-15T05:59:59Z")).toBe(0);
    expect(await wait(night, "2026-01-15T06:00:00Z")).toBe(16 * 3600);
    expect(await wait(night, "2026-01-15T21:59:00Z")).toBe(60);
  });

  test("of one day hold on that day, and tomorrow's come after it", async () => {
    const lunch = { from: "12:00", to: "13:30", timeZone: "UTC" };
    expect(await wait(lunch, "2026-01-15T12:00:00Z")).toBe(0);
    expect(await wait(lunch, "2026-01-15T13:30:00Z")).toBe(22.5 * 3600);
    expect(await wait(lunch, "2026-01-15T11:30:00Z")).toBe(1800);
  });

  test("are those of the clock on the wall, also on the days when it is changed", async () => {
    const night = { from: "22:00", to: "06:00", timeZone: "Europe/Berlin" };
    // 12:00 UTC is 13:00 there in winter and 14:00 in summer.
    expect(await wait(night, "2026-01-15T12:00:00Z")).toBe(9 * 3600);
    expect(await wait(night, "2026-07-15T12:00:00Z")).toBe(8 * 3600);
    // On 29 March 2026 02:00 is 03:00: from 00:30 it is one hour less to the morning.
    const morning = { from: "07:00", to: "08:00", timeZone: "Europe/Berlin" };
    expect(await wait(morning, "2026-03-28T23:30:00Z")).toBe(5.5 * 3600);
  });

  test("are all hours where there are none", async () => {
    expect(await wait(null, "2026-01-15T12:00:00Z")).toBe(0);
  });
});

function ask(series: string): JobRequest {
  return {
    kind: "series",
    series: { studyInstanceUid: "1.2.3", seriesInstanceUid: series },
    prompts: [{ id: "p1", text: "lung" }],
    merge: "exclusive",
    outputs: ["seg"],
  };
}

/** An hour of the day, in UTC, so many hours from now. */
function inHours(hours: number): string {
  return `${new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 14)}00`;
}

test("a job is begun within its rule's hours only, also by a process that started later, and holds no place meanwhile", async () => {
  const closed = { from: inHours(3), to: inHours(5), timeZone: "UTC" };
  const from = { owner: "routing", requestId: "r", priority: "routed", force: true } as const;
  const runner = createFakeRunner();
  const open = () => PostgresJobQueue.open({ db, runner: runner.run, logger, pollMs: 20, backlog: 1 });
  let waiting = "";
  {
    await using queue = await open();
    waiting = await db.transaction(async (sql) => {
      const { id } = await queue.submitWithin(sql, ask("1.2.3.1"), from);
      await sql.query("update parse3d.jobs set hours = $2::jsonb where id = $1", [id, JSON.stringify(closed)]);
      return id;
    });
  }
  await using queue = await open();
  const other = await queue.submit(ask("1.2.3.2"), from);
  await eventually(async () => expect((await queue.get(other.id)).state).toBe("succeeded"));
  expect((await queue.get(waiting)).state).toBe("queued");
  const now = { from: inHours(-1), to: inHours(2), timeZone: "UTC" };
  await db.query("update parse3d.jobs set hours = $2::jsonb where id = $1", [waiting, JSON.stringify(now)]);
  await eventually(async () => expect((await queue.get(waiting)).state).toBe("succeeded"));
});
