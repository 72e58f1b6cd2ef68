import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Database, openEmbeddedDatabase } from "#server/database/index.ts";
import { SeriesNotFoundError } from "#server/domain/index.ts";
import { type JobRequest, PostgresJobQueue } from "#server/jobs/index.ts";
import { forgetUnwantedNotices, isSignedBy, sendNotices, wantNotices } from "#server/outbox/index.ts";
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

const log = createLogReader();
const { logger } = log;
const secret = "a-secret-of-the-receiver";

const request: JobRequest = {
  kind: "series",
  series: { studyInstanceUid: "1.2.3", seriesInstanceUid: "1.2.3.4" },
  prompts: [{ id: "p1", text: "the lungs of Jane Doe" }],
  merge: "exclusive",
  outputs: ["seg"],
};
const byRule = { owner: "routing", requestId: "r", priority: "routed", ruleId: "chest-ct", force: true } as const;

/** Takes notices, after it has refused the first few. */
async function startReceiver(refuses = 0) {
  const taken: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];
  let tries = 0;
  const server = createServer(async (incoming, response) => {
    let body = "";
    for await (const chunk of incoming) body += chunk;
    tries += 1;
    if (tries > refuses) taken.push({ headers: incoming.headers, body });
    response.writeHead(tries > refuses ? 204 : 503).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    taken,
    tries: () => tries,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function openQueue(failWith?: Error) {
  const runner = createFakeRunner();
  if (failWith) runner.failWith(failWith);
  return PostgresJobQueue.open({ db, runner: runner.run, logger, pollMs: 20 });
}

const quickly = { firstDelayMs: 20, pollMs: 20 };

test("a job that has ended is told once, signed, without a word of the question, and without UIDs unless they are wanted", async () => {
  await using receiver = await startReceiver();
  await wantNotices(db, "routing");
  await using queue = await openQueue();
  const job = await queue.submit(request, byRule);
  await queue.submit({ ...request, prompts: [{ id: "p1", text: "mine" }] }, { owner: "alice", requestId: "r-2" });
  {
    await using _sending = sendNotices({ db, logger, url: receiver.url, secret, uids: false, ...quickly });
    await eventually(() => expect(receiver.taken).toHaveLength(1));
  }
  const [{ headers, body } = { headers: {}, body: "" }] = receiver.taken;
  expect(JSON.parse(body)).toEqual({
    id: headers["parse3d-delivery"],
    event: "job.succeeded",
    jobId: job.id,
    state: "succeeded",
    priority: "routed",
    ruleId: "chest-ct",
    finishedAt: expect.stringMatching(/^\d{4}-.*Z$/),
  });
  const signature = String(headers["parse3d-signature"]);
  const now = Date.now() / 1000;
  expect(isSignedBy(signature, body, secret, now)).toBe(true);
  expect(isSignedBy(signature, `${body} `, secret, now)).toBe(false);
  expect(isSignedBy(signature, body, "another secret of it", now)).toBe(false);
  expect(isSignedBy(signature, body, secret, now + 3600)).toBe(false);
  expect(isSignedBy(signature.replace(/^t=\d+/, `t=${Math.floor(now) + 9}`), body, secret, now)).toBe(false);

  await queue.submit({ ...request, prompts: [{ id: "p1", text: "again" }] }, byRule);
  await using _sending = sendNotices({ db, logger, url: receiver.url, secret, uids: true, ...quickly });
  await eventually(() => expect(receiver.taken).toHaveLength(2));
  expect(JSON.parse(receiver.taken[1]?.body ?? "")).toMatchObject({
    studyInstanceUid: "1.2.3",
    seriesInstanceUid: "1.2.3.4",
    stored: [expect.stringMatching(/^[\d.]+$/)],
  });
  expect(receiver.taken.map((one) => one.body).join()).not.toMatch(/Jane|lungs|again/);
});

test("a signature is the one that any other HMAC-SHA256 makes", async () => {
  // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac a-secret-of-the-receiver
  const hex = "e9c3021419e9bf757fc8b6233de1016855866ce525fdeb3ed3f44f46efc14273";
  expect(isSignedBy(`t=1700000000,v1=${hex}`, '{"a":1}', secret, 1_700_000_100)).toBe(true);
});

test("a receiver that is away is tried again, also after a restart; a failure is told with its code alone", async () => {
  await using receiver = await startReceiver(2);
  await wantNotices(db, "all");
  await using queue = await openQueue(new SeriesNotFoundError("The archive holds no such series."));
  const job = await queue.submit(request, { owner: "alice", requestId: "r" });
  await eventually(async () => expect((await queue.get(job.id)).state).toBe("failed"));
  {
    await using _sending = sendNotices({
      db,
      logger,
      url: receiver.url,
      secret,
      uids: false,
      ...quickly,
      firstDelayMs: 300,
    });
    await eventually(() => expect(receiver.tries()).toBe(1));
  }
  await using _sending = sendNotices({ db, logger, url: receiver.url, secret, uids: false, ...quickly });
  await eventually(() => expect(receiver.taken).toHaveLength(1));
  expect(JSON.parse(receiver.taken[0]?.body ?? "")).toMatchObject({
    event: "job.failed",
    jobId: job.id,
    code: "series-not-found",
  });
  expect(receiver.tries()).toBe(3);
  await eventually(async () => expect(await db.query("select 1 from parse3d.outbox")).toEqual([]));
});

test("a receiver that never takes anything is given up, and the reason is kept", async () => {
  await using receiver = await startReceiver(Number.POSITIVE_INFINITY);
  await wantNotices(db, "all");
  await using queue = await openQueue();
  await queue.submit(request, byRule);
  await using _sending = sendNotices({ db, logger, url: receiver.url, secret, uids: false, ...quickly, tries: 2 });
  await eventually(async () =>
    expect(await db.query("select reason from parse3d.outbox where given_up_at is not null")).toEqual([
      { reason: expect.stringContaining("503") },
    ]),
  );
  expect(receiver.tries()).toBe(2);
  expect(log.text()).toContain("outbox.given-up");
});

test("where nobody wants notices, none are kept", async () => {
  await using queue = await openQueue();
  const job = await queue.submit(request, byRule);
  await eventually(async () => expect((await queue.get(job.id)).state).toBe("succeeded"));
  expect(await db.query("select 1 from parse3d.outbox")).toEqual([]);
});

test("a server without a receiver leaves what another one on its database wants; when nobody has wanted any for long, none are kept", async () => {
  const hourMs = 3_600_000;
  await wantNotices(db, "all");
  await using queue = await openQueue();
  const done = async (text: string) => {
    const job = await queue.submit({ ...request, prompts: [{ id: "p1", text }] }, byRule);
    await eventually(async () => expect((await queue.get(job.id)).state).toBe("succeeded"));
  };
  const owed = () => db.query("select 1 from parse3d.outbox where kind = 'notice'");

  await forgetUnwantedNotices(db, hourMs);
  await done("one");
  await forgetUnwantedNotices(db, hourMs);
  expect(await owed()).toHaveLength(1);

  await db.query("update parse3d.notices_wanted set renewed_at = now() - interval '2 hours'");
  await wantNotices(db, "all");
  await forgetUnwantedNotices(db, hourMs);
  await done("two");
  expect(await owed()).toHaveLength(2);

  await db.query("update parse3d.notices_wanted set renewed_at = now() - interval '2 hours'");
  await forgetUnwantedNotices(db, hourMs);
  await done("three");
  expect(await owed()).toEqual([]);
});

test("a notice whose next try was noted before the clock was set back is not held up by it", async () => {
  await using receiver = await startReceiver();
  await wantNotices(db, "all");
  await using queue = await openQueue();
  const job = await queue.submit(request, byRule);
  await eventually(async () => expect((await queue.get(job.id)).state).toBe("succeeded"));
  await db.query("update parse3d.outbox set next_at = now() + interval '6 hours'");
  await using _sending = sendNotices({ db, logger, url: receiver.url, secret, uids: false, ...quickly });
  await eventually(() => expect(receiver.taken).toHaveLength(1));
});
