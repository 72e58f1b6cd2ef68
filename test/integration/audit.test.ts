import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, migrate, openEmbeddedDatabase } from "#server/database/index.ts";
import { openAuditLog } from "../../server/audit-log.ts";

let db: Database;
beforeAll(async () => {
  db = await openEmbeddedDatabase();
  await migrate(db);
});
afterAll(() => db?.[Symbol.asyncDispose]());

const entry = { actor: "0123456789abcdef", action: "putRule", subject: "chest-ct", requestId: "r", status: 200 };

test("what was done stays in the table for two years", async () => {
  const log = await openAuditLog(db);
  await log.note(entry);
  const { subject: _none, ...without } = entry;
  await log.note({ ...without, action: "submitJob", status: 507 });
  await db.query(
    "insert into parse3d.audit (at, actor, action, request_id, status) values (now() - interval '3 years', 'a', 'b', 'c', 1)",
  );
  await openAuditLog(db);
  expect(await db.query("select actor, action, subject, request_id, status from parse3d.audit order by id")).toEqual([
    { actor: entry.actor, action: "putRule", subject: "chest-ct", request_id: "r", status: 200 },
    { actor: entry.actor, action: "submitJob", subject: null, request_id: "r", status: 507 },
  ]);
});
