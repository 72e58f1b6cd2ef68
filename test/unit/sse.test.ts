import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { JobEvent } from "#server/contract/index.ts";
import type { StreamedLine } from "../fixtures/event-lines.ts";
import { eventually } from "../fixtures/eventually.ts";
import { skullJob, startTestServer } from "../fixtures/test-server.ts";

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const names = (events: readonly JobEvent[]) =>
  events.map((event) => (event.type === "state" ? event.job.state : event.type));

test("the stream tells the whole story from the start, in order, and ends with the job", async () => {
  await using server = await startTestServer();
  const { id } = await server.api.call("submitJob", { body: { ...skullJob, prompts: ["skull", "unicorn"] } });
  const events = await collect(server.api.events(id));
  expect(names(events).filter((name) => name !== "progress")).toEqual([
    "queued",
    "running",
    "finding",
    "finding",
    "succeeded",
  ]);
  const ids = events.map((event) => event.id);
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
});

test("each event's id, name and data agree, and nothing may buffer or store the stream", async () => {
  await using server = await startTestServer();
  const { id } = await server.api.call("submitJob", { body: skullJob });
  const response = await server.api.send("jobEvents", { params: { id } });
  expect(response.headers.get("Content-Type")).toBe("text/event-stream");
  expect(response.headers.get("Cache-Control")).toContain("no-store");
  expect(response.headers.get("X-Accel-Buffering")).toBe("no");
  expect(await response.text()).toMatch(/^retry: \d+\n\nid: 1\nevent: state\ndata: \{"id":1,/);
  for await (const line of server.api.lines(id)) {
    if (line.kind === "event") expect(JSON.parse(line.data)).toMatchObject({ id: Number(line.id), type: line.event });
  }
});

test("events arrive while the job runs, not when it ends", async () => {
  await using server = await startTestServer();
  server.runner.hold();
  const { id } = await server.api.call("submitJob", { body: skullJob });
  const events = server.api.events(id);
  expect((await events.next()).value).toMatchObject({ type: "state", job: { state: "queued" } });
  expect((await events.next()).value).toMatchObject({ type: "state", job: { state: "running" } });
  expect((await events.next()).value).toMatchObject({ type: "progress", stage: "infer" });
  server.runner.release();
  expect(names(await collect(events))).toEqual(["finding", "succeeded"]);
});

test("after a lost connection, Last-Event-ID goes on behind the last event that was seen", async () => {
  await using server = await startTestServer();
  server.runner.hold();
  const { id } = await server.api.call("submitJob", { body: skullJob });
  const lost = new AbortController();
  const first = server.api.events(id, { signal: lost.signal });
  await first.next();
  const { value: running } = await first.next();
  lost.abort();
  server.runner.release();
  const rest = await collect(server.api.events(id, { headers: { "Last-Event-ID": String(running?.id) } }));
  expect(names(rest).filter((name) => name !== "progress")).toEqual(["finding", "succeeded"]);
  expect(rest.every((event) => event.id > (running?.id ?? 0))).toBe(true);
});

test("a client that has seen the end is told to stop coming back: 204", async () => {
  await using server = await startTestServer();
  const { id } = await server.api.call("submitJob", { body: skullJob });
  const last = (await collect(server.api.events(id))).at(-1);
  const again = await server.api.send("jobEvents", { params: { id }, headers: { "Last-Event-ID": String(last?.id) } });
  expect(again.status).toBe(204);
});

test("a Last-Event-ID from another time replays everything; one that is no number is refused", async () => {
  await using server = await startTestServer();
  const { id } = await server.api.call("submitJob", { body: skullJob });
  await collect(server.api.events(id));
  const replay = await collect(server.api.events(id, { headers: { "Last-Event-ID": "9999" } }));
  expect(names(replay)[0]).toBe("queued");
  const refused = await server.api.send("jobEvents", { params: { id }, headers: { "Last-Event-ID": "soon" } });
  expect(refused.status).toBe(400);
});

test("a quiet stream is kept open by comments", async () => {
  await using server = await startTestServer({ http: { heartbeatMs: 20 } });
  server.runner.hold();
  const { id } = await server.api.call("submitJob", { body: skullJob });
  let comments = 0;
  for await (const line of server.api.lines(id)) {
    if (line.kind === "comment" && ++comments === 3) server.runner.release();
  }
  expect(comments).toBeGreaterThanOrEqual(3);
});

test("cancelling ends the stream with the cancelled job", async () => {
  await using server = await startTestServer();
  server.runner.hold();
  const { id } = await server.api.call("submitJob", { body: skullJob });
  const events = collect(server.api.events(id));
  await server.api.call("cancelJob", { params: { id } });
  expect(names(await events).at(-1)).toBe("cancelled");
});

test("a client that hangs up leaves nothing behind, and the job goes on", async () => {
  await using server = await startTestServer();
  server.runner.hold();
  const { id } = await server.api.call("submitJob", { body: skullJob });
  const gone = new AbortController();
  const events = server.api.events(id, { signal: gone.signal });
  await events.next();
  gone.abort();
  await eventually(() => expect(server.log.lines().some(({ route }) => route === "jobEvents")).toBe(true));
  server.runner.release();
  await eventually(async () => expect((await server.api.call("readJob", { params: { id } })).state).toBe("succeeded"));
});

test("a reader that does not read holds up neither the job nor the memory: of a flood of progress it gets the last", async () => {
  const flood = 20_000;
  await using server = await startTestServer({
    queue: {
      runner: async (_request, run) => {
        for (let n = 1; n <= flood; n++) {
          run.progress("infer", n / flood, `${n}/${flood}`);
          if (n % 1000 === 0) await sleep(1);
        }
        return { model: { name: "m", version: "1", title: "M", trained: false }, notes: [], seconds: {} };
      },
    },
  });
  const { id } = await server.api.call("submitJob", { body: skullJob });
  const stream = server.api.lines(id);
  await stream.next();
  await eventually(async () => expect((await server.api.call("readJob", { params: { id } })).state).toBe("succeeded"));
  const lines: StreamedLine[] = [];
  for await (const line of stream) lines.push(line);
  expect(lines.length).toBeLessThan(flood / 2);
  const last = lines.at(-1);
  const { job } = JSON.parse(last?.kind === "event" ? last.data : "{}");
  expect([job.state, job.detail]).toEqual(["succeeded", `${flood}/${flood}`]);
});

test("HEAD tells the type of the stream and does not hang", async () => {
  await using server = await startTestServer();
  server.runner.hold();
  const { id } = await server.api.call("submitJob", { body: skullJob });
  const response = await fetch(`${server.url}/v1/jobs/${id}/events`, { method: "HEAD" });
  expect([response.status, response.headers.get("Content-Type")]).toEqual([200, "text/event-stream"]);
});
