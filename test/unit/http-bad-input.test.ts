import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Problem } from "#server/contract/index.ts";
import { skullJob, startTestServer } from "../fixtures/test-server.ts";

let server: Awaited<ReturnType<typeof startTestServer>>;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server[Symbol.asyncDispose]());

async function problemOf(response: Response) {
  expect(response.headers.get("Content-Type")).toMatch(/^application\/problem\+json/);
  const problem = Problem.parse(await response.json());
  expect(problem.status).toBe(response.status);
  expect(problem.requestId).toBe(response.headers.get("X-Request-Id"));
  return problem;
}

const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  fetch(`${server.url}/v1/jobs`, { method: "POST", body, headers: { "Content-Type": "application/json", ...headers } });

describe("a body that does not fit the contract is invalid-request and names every fault", () => {
  test.each([
    ["no UIDs", { prompts: ["skull"] }, ["body.studyInstanceUid", "body.seriesInstanceUid"]],
    ["a UID with letters", { ...skullJob, seriesInstanceUid: "1.2.x" }, ["body.seriesInstanceUid"]],
    ["a UID with a leading zero", { ...skullJob, seriesInstanceUid: "1.02" }, ["body.seriesInstanceUid"]],
    ["a UID that climbs folders", { ...skullJob, studyInstanceUid: "../../x" }, ["body.studyInstanceUid"]],
    ["a UID of 65 characters", { ...skullJob, studyInstanceUid: `1.${"2".repeat(63)}` }, ["body.studyInstanceUid"]],
    ["prompts that are no list", { ...skullJob, prompts: "skull" }, ["body.prompts"]],
    ["a prompt that is a number", { ...skullJob, prompts: [1] }, ["body.prompts.0"]],
    ["an unknown field", { ...skullJob, prompt: "skull" }, ["body"]],
    ["an unknown merge mode", { ...skullJob, merge: "both" }, ["body.merge"]],
    ["an unknown output", { ...skullJob, outputs: ["stl"] }, ["body.outputs.0"]],
    ["a model's name with a path", { ...skullJob, model: "../x" }, ["body.model"]],
    ["a list", [], ["body"]],
    ["null", null, ["body"]],
  ])("%s", async (_name, body, at) => {
    const problem = await problemOf(await post(JSON.stringify(body)));
    expect(problem).toMatchObject({ status: 400, code: "invalid-request", retryable: false });
    const issues = problem.details?.issues as readonly { at: string }[];
    expect(issues.map((issue) => issue.at)).toEqual(at);
  });
});

describe("prompts that say nothing useful are invalid-prompt", () => {
  test.each([
    ["none", []],
    ["an empty one", [""]],
    ["white space", [" \n "]],
    ["10,000 characters", ["x".repeat(10_000)]],
    ["control characters", ["sku\u0007ll"]],
    ["the same twice", ["skull", "Skull"]],
    ["33 of them", Array.from({ length: 33 }, (_, n) => `thing ${n}`)],
  ])("%s", async (_name, prompts) => {
    const problem = await problemOf(await post(JSON.stringify({ ...skullJob, prompts })));
    expect(problem).toMatchObject({ status: 422, code: "invalid-prompt" });
  });
});

test("what is not JSON, not UTF-8, or has no JSON type is refused", async () => {
  for (const body of ["{", "", "undefined", "{'a':1}"]) {
    expect(await problemOf(await post(body))).toMatchObject({ status: 400, code: "invalid-request" });
  }
  expect(await problemOf(await post(new Uint8Array([0x22, 0xff, 0x22])))).toMatchObject({ status: 400 });
  for (const type of ["text/plain", "multipart/form-data", "application/jsonx"]) {
    const answer = await problemOf(await post("{}", { "Content-Type": type }));
    expect(answer).toMatchObject({ status: 415, code: "unsupported-media-type" });
  }
  expect(await problemOf(await post("{}", { "Content-Encoding": "gzip" }))).toMatchObject({ status: 415 });
});

test("a JSON body over 1 MB is payload-too-large, declared or streamed, and the client gets to read it", async () => {
  const large = JSON.stringify({ ...skullJob, prompts: ["x".repeat(1024 * 1024)] });
  expect(await problemOf(await post(large))).toMatchObject({ status: 413, code: "payload-too-large" });
  const streamed = new ReadableStream({
    start(controller) {
      for (let n = 0; n < 64; n++) controller.enqueue(new Uint8Array(64 * 1024).fill(0x20));
      controller.close();
    },
  });
  const init = { method: "POST", body: streamed, duplex: "half", headers: { "Content-Type": "application/json" } };
  expect(await problemOf(await fetch(`${server.url}/v1/jobs`, init as RequestInit))).toMatchObject({ status: 413 });
});

test("deeply nested JSON is refused, not fatal", async () => {
  const depth = 400_000;
  expect((await post("[".repeat(depth) + "]".repeat(depth))).status).toBe(400);
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
});

test("an unknown address is not-found; a known one with another method is method-not-allowed and names those it takes", async () => {
  for (const path of [
    "/",
    "/v1",
    "/v1/jobs/x/y",
    "/%zz",
    "/v1/jobs/%ff/events/",
    "//x",
    "/.env",
    "/problems/nonsense",
  ]) {
    expect(await problemOf(await fetch(server.url + path))).toMatchObject({ status: 404 });
  }
  const response = await fetch(`${server.url}/v1/jobs`, { method: "PUT" });
  expect(response.headers.get("Allow")).toBe("POST, HEAD, GET, OPTIONS");
  expect(await problemOf(response)).toMatchObject({ status: 405, code: "method-not-allowed" });
});

test("OPTIONS tells the methods, HEAD the headers without the body", async () => {
  const options = await fetch(`${server.url}/v1/models`, { method: "OPTIONS" });
  expect([options.status, options.headers.get("Allow")]).toEqual([204, "HEAD, GET, OPTIONS"]);
  const head = await fetch(`${server.url}/v1/models`, { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
  expect(Number(head.headers.get("Content-Length"))).toBeGreaterThan(10);
  const missing = await fetch(`${server.url}/v1/jobs/none`, { method: "HEAD" });
  expect([missing.status, await missing.text()]).toEqual([404, ""]);
});

test("query parameters are checked too", async () => {
  for (const query of ["limit=0", "limit=x", "limit=1e9", "limit=1&limit=2", "limit=", "owner=me"]) {
    expect(await problemOf(await fetch(`${server.url}/v1/jobs?${query}`))).toMatchObject({ code: "invalid-request" });
  }
  expect(await problemOf(await fetch(`${server.url}/v1/vocabulary?modality=ct`))).toMatchObject({ status: 400 });
});

test("a refused value is not repeated in the answer or the log", async () => {
  const secret = "Doe^Jane 1970-01-01";
  const text = await (await post(JSON.stringify({ ...skullJob, seriesInstanceUid: secret, model: secret }))).text();
  expect(text).not.toContain("Jane");
  expect(server.log.text()).not.toContain("Jane");
});

test("bytes that are not HTTP end in 400 and harm nobody else", async () => {
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  socket.write("\x16\x03\x01 nonsense\r\n\r\n");
  const answer = await new Promise<string>((resolve) => socket.once("data", (data) => resolve(String(data))));
  expect(answer).toMatch(/^HTTP\/1\.1 400/);
  socket.destroy();
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
});

test("no JSON whatsoever makes the server fail", async () => {
  const fields = ["studyInstanceUid", "seriesInstanceUid", "prompts", "model", "merge", "outputs", "__proto__"];
  const values = fc.oneof(fc.jsonValue(), fc.constantFrom("1.2.3", "skull", ["skull"], ["seg"], [{ text: "skull" }]));
  const nearMiss = fc.dictionary(fc.constantFrom(...fields), values);
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.jsonValue(), nearMiss), async (value) => {
      const response = await post(JSON.stringify(value));
      if (response.status === 202) return response.body?.cancel();
      expect([400, 422, 429]).toContain(response.status);
      await problemOf(response);
    }),
    { numRuns: 300 },
  );
});

test("no path, query or header makes the server fail", async () => {
  const segment = fc.oneof(fc.webSegment(), fc.constantFrom("v1", "jobs", "events", "models", "..", "%00", "docs"));
  const path = fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
  await fc.assert(
    fc.asyncProperty(
      path,
      fc.webQueryParameters(),
      fc.constantFrom("GET", "POST", "DELETE", "PATCH"),
      async (p, q, method) => {
        const response = await fetch(`${server.url}${p}?${q}`, {
          method,
          headers: { "Last-Event-ID": q.length > 5 ? "x" : "1" },
        });
        await response.body?.cancel();
        expect(response.status).toBeLessThan(500);
      },
    ),
    { numRuns: 300 },
  );
});
