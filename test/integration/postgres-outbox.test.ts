import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { migrate, openServerDatabase } from "#server/database/index.ts";
import { type JobRequest, PostgresJobQueue } from "#server/jobs/index.ts";
import { sendNotices, wantNotices } from "#server/outbox/index.ts";
import { eventually } from "../fixtures/eventually.ts";
import { createFakeRunner } from "../fixtures/fake-runner.ts";
import { createLogReader } from "../fixtures/log-reader.ts";
import { describeWithPostgres, startTestPostgres } from "../fixtures/test-postgres.ts";

const { logger } = createLogReader();

function ask(series: string): JobRequest {
  return {
    kind: "series",
    series: { studyInstanceUid: "1.2.3", seriesInstanceUid: series },
    prompts: [{ id: "p1", text: "lung" }],
    merge: "exclusive",
    outputs: ["seg"],
  };
}

describeWithPostgres("servers that share a PostgreSQL", () => {
  test("tell of each job once, also where several could, and begin none outside its hours", async () => {
    const heard: string[] = [];
    const receiver = createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      heard.push(JSON.parse(body).jobId);
      response.end();
    });
    receiver.listen(0, "127.0.0.1");
    await once(receiver, "listening");
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;

    await using postgres = await startTestPostgres();
    const address = await postgres.newDatabase();
    await using db = openServerDatabase({ url: address, logger });
    await using other = openServerDatabase({ url: address, logger });
    await migrate(db);
    await wantNotices(db, "routing");
    const { run } = createFakeRunner();
    await using queue = await PostgresJobQueue.open({ db, runner: run, logger, concurrency: 2, pollMs: 20 });
    const hour = (ahead: number) => `${new Date(Date.now() + ahead * 3_600_000).toISOString().slice(11, 14)}00`;
    const from = { owner: "routing", requestId: "r", priority: "routed", ruleId: "a", force: true } as const;
    const later = await db.transaction(async (sql) => {
      const { id } = await queue.submitWithin(sql, ask("1.2.3.99"), from);
      const hours = { from: hour(3), to: hour(5), timeZone: "UTC" };
      await sql.query("update parse3d.jobs set hours = $2::jsonb where id = $1", [id, JSON.stringify(hours)]);
      return id;
    });
    const ids: string[] = [];
    for (let n = 0; n < 12; n++) ids.push((await queue.submit(ask(`1.2.3.${n}`), from)).id);
    const options = { logger, url, secret: "a-secret-of-the-receiver", uids: false, pollMs: 10 };
    await using _one = sendNotices({ db, ...options });
    await using _two = sendNotices({ db: other, ...options });
    await eventually(() => expect([...heard].sort()).toEqual([...ids].sort()));
    await eventually(async () => expect(await db.query("select 1 from parse3d.outbox")).toEqual([]));
    expect(heard).toHaveLength(12);
    expect((await queue.get(later)).state).toBe("queued");
    receiver.close();
    receiver.closeAllConnections();
  });
});
