import { describe, expect, test } from "vitest";
import { ModelUnavailableError, SeriesNotFoundError } from "#server/domain/index.ts";
import type { HttpServerParts } from "#server/http/index.ts";
import { skullJob, startTestServer } from "../fixtures/test-server.ts";

async function ended(api: Awaited<ReturnType<typeof startTestServer>>["api"], id: string) {
  for await (const event of api.events(id)) if (event.type === "state" && event.job.finishedAt) return event.job;
  throw new Error("the stream ended before the job");
}

test("a job is accepted with its address, runs, and ends with findings, the stored SEG and the seconds", async () => {
  await using server = await startTestServer();
  const response = await server.api.send("submitJob", { body: { ...skullJob, prompts: ["skull", "unicorn"] } });
  expect(response.status).toBe(202);
  const { id } = (await response.json()) as { id: string };
  expect(response.headers.get("Location")).toBe(`/v1/jobs/${id}`);
  const job = await ended(server.api, id);
  expect(job).toMatchObject({ state: "succeeded", stage: "done", fraction: 1 });
  expect(job.findings.map(({ prompt, present }) => [prompt.id, prompt.text, present])).toEqual([
    ["p1", "skull", true],
    ["p2", "unicorn", false],
  ]);
  expect(job.result).toMatchObject({
    seg: { studyInstanceUid: "1.2.840.1", seriesInstanceUid: "2.25.2", sopInstanceUid: "2.25.3" },
    model: { name: "fake", version: "1.0.0", trained: false },
    notes: ["A note."],
    seconds: { infer: 0.3 },
  });
  expect(await server.api.call("readJob", { params: { id } })).toEqual(job);
});

test("what was asked is shown as it was understood: folded, numbered, defaults filled in", async () => {
  await using server = await startTestServer();
  const code = { value: "89546000", scheme: "SCT", meaning: "Skull" };
  const { request } = await server.api.call("submitJob", {
    body: { ...skullJob, prompts: [" left \n kidney ", { text: "skull", code }] },
  });
  expect(request).toEqual({
    kind: "series",
    studyInstanceUid: "1.2.840.1",
    seriesInstanceUid: "1.2.840.1.1",
    prompts: [
      { id: "p1", text: "left kidney" },
      { id: "p2", text: "skull", code },
    ],
    merge: "exclusive",
    outputs: ["seg"],
  });
});

test("a running job tells its stage, how far it is, and in words", async () => {
  await using server = await startTestServer();
  server.runner.hold();
  const { id } = await server.api.call("submitJob", { body: skullJob });
  const seen: unknown[] = [];
  for await (const event of server.api.events(id)) {
    if (event.type === "progress") {
      seen.push([event.stage, event.fraction]);
      server.runner.release();
    }
  }
  expect(seen).toContainEqual(["infer", 0.25]);
});

test("jobs are listed newest first, as many as asked for", async () => {
  await using server = await startTestServer();
  const ids: string[] = [];
  for (const prompt of ["skull", "lung", "fat"]) {
    ids.push((await server.api.call("submitJob", { body: { ...skullJob, prompts: [prompt] } })).id);
  }
  const { jobs } = await server.api.call("listJobs", { query: { limit: "2" } });
  expect(jobs.map(({ id }) => id)).toEqual([ids[2], ids[1]]);
});

test("a second click on the same question is the same job while it runs, and where nobody can tell whether its answer stands, a new one afterwards", async () => {
  await using server = await startTestServer();
  server.runner.hold();
  const first = await server.api.call("submitJob", { body: skullJob });
  const again = await server.api.call("submitJob", { body: skullJob });
  const other = await server.api.call("submitJob", { body: { ...skullJob, merge: "overlapping" } });
  expect(again.id).toBe(first.id);
  expect(other.id).not.toBe(first.id);
  server.runner.release();
  await ended(server.api, first.id);
  expect((await server.api.call("submitJob", { body: skullJob })).id).not.toBe(first.id);
});

describe("a question that was answered before", () => {
  async function answered(stands: HttpServerParts["answerStands"]) {
    const server = await startTestServer({ parts: stands ? { answerStands: stands } : {} });
    const { id } = await server.api.call("submitJob", { body: skullJob });
    return { server, first: await ended(server.api, id) };
  }
  const send = async ({ api }: Awaited<ReturnType<typeof startTestServer>>, more = {}) => {
    const response = await api.send("submitJob", { body: { ...skullJob, ...more } });
    const { id, state } = (await response.json()) as { id: string; state: string };
    return { status: response.status, location: response.headers.get("Location"), id, state };
  };

  test("is answered with that job and 200, as long as it stands", async () => {
    const { server, first } = await answered(async () => true);
    await using _server = server;
    const { id } = first;
    expect(await send(server)).toEqual({ status: 200, location: `/v1/jobs/${id}`, id, state: "succeeded" });
    expect(await server.api.call("submitJob", { body: { ...skullJob, priority: "batch" } })).toEqual(first);
    expect(server.runner.begun).toHaveLength(1);
  });

  test("is asked anew with force, as another question, and where the answer does not stand any more", async () => {
    const asked: string[] = [];
    const { server, first } = await answered(async ({ id }) => {
      asked.push(id);
      return false;
    });
    await using _server = server;
    const again = await send(server);
    expect([again.status, again.id === first.id]).toEqual([202, false]);
    expect(asked).toEqual([first.id]);
    for (const more of [{ force: true }, { merge: "overlapping" }]) {
      expect((await send(server, more)).status).toBe(202);
      expect(asked).toHaveLength(1);
    }
  });

  test("is asked anew while its newest job has not succeeded", async () => {
    const { server, first } = await answered(async () => true);
    await using _server = server;
    server.runner.hold();
    const forced = await send(server, { force: true });
    const meanwhile = await send(server);
    expect([meanwhile.status, meanwhile.id === first.id]).toEqual([202, false]);
    server.runner.release();
    for (const { id } of [forced, meanwhile]) await ended(server.api, id);
    expect(await send(server)).toMatchObject({ status: 200, id: meanwhile.id });
  });
});

test("cancelling ends a running job within a second, and again changes nothing", async () => {
  await using server = await startTestServer();
  server.runner.hold();
  const { id } = await server.api.call("submitJob", { body: skullJob });
  const start = performance.now();
  const job = await server.api.call("cancelJob", { params: { id } });
  expect(performance.now() - start).toBeLessThan(1000);
  expect(job).toMatchObject({ state: "cancelled" });
  expect(job.finishedAt).toBeDefined();
  expect(server.runner.atWork).toBe(0);
  expect(await server.api.call("cancelJob", { params: { id } })).toEqual(job);
});

test("a job that has succeeded cannot be cancelled: job-conflict", async () => {
  await using server = await startTestServer();
  const { id } = await server.api.call("submitJob", { body: skullJob });
  await ended(server.api, id);
  await expect(server.api.call("cancelJob", { params: { id } })).rejects.toMatchObject({
    problem: { status: 409, code: "job-conflict" },
  });
});

test.each(["readJob", "cancelJob", "jobEvents"] as const)("%s of an unknown job is job-not-found", async (name) => {
  await using server = await startTestServer();
  for (const id of ["3f1c3e0e-0000-4000-8000-000000000000", "no-such", "..", "%"]) {
    const response = await server.api.send(name, { params: { id } });
    expect(response.status).toBe(404);
    if (id !== "..") expect(await response.json()).toMatchObject({ code: "job-not-found", retryable: false });
  }
});

test("a job that fails stores the problem, with the id of the request that submitted it", async () => {
  await using server = await startTestServer();
  server.runner.failWith(new SeriesNotFoundError("The archive does not hold this series. Check both UIDs."));
  const response = await server.api.send("submitJob", { body: skullJob });
  const { id } = (await response.json()) as { id: string };
  const job = await ended(server.api, id);
  expect(job.state).toBe("failed");
  expect(job.problem).toEqual({
    type: "/problems/series-not-found",
    title: "series not found",
    status: 404,
    code: "series-not-found",
    detail: "The archive does not hold this series. Check both UIDs.",
    retryable: false,
    requestId: response.headers.get("X-Request-Id"),
  });
});

test("a retryable failure says so", async () => {
  await using server = await startTestServer();
  server.runner.failWith(new ModelUnavailableError("The inference process died. Ask again."));
  const { id } = await server.api.call("submitJob", { body: skullJob });
  expect((await ended(server.api, id)).problem).toMatchObject({
    code: "model-unavailable",
    status: 503,
    retryable: true,
  });
});

test("a failure that nobody foresaw is answered blank and logged whole", async () => {
  await using server = await startTestServer();
  server.runner.failWith(new TypeError("boom at /home/someone"));
  const { id } = await server.api.call("submitJob", { body: skullJob });
  const { problem } = await ended(server.api, id);
  expect(problem).toMatchObject({ code: "internal", status: 500, retryable: false });
  expect(JSON.stringify(problem)).not.toContain("boom");
  expect(server.log.text()).toContain("boom at /home/someone");
  expect(server.log.lines()).toContainEqual(
    expect.objectContaining({ event: "job.broke", requestId: problem?.requestId }),
  );
});

test("more jobs than the backlog holds are refused as rate-limited, with when to ask again", async () => {
  await using server = await startTestServer({ queue: { backlog: 1 } });
  server.runner.hold();
  await server.api.call("submitJob", { body: skullJob });
  await server.api.call("submitJob", { body: { ...skullJob, prompts: ["lung"] } });
  const response = await server.api.send("submitJob", { body: { ...skullJob, prompts: ["fat"] } });
  expect(response.status).toBe(429);
  expect(Number(response.headers.get("Retry-After"))).toBeGreaterThan(0);
  expect(await response.json()).toMatchObject({ code: "rate-limited", retryable: true, details: { waiting: 1 } });
});
