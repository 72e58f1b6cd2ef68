import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { refuseTakenPort } from "#server/http/index.ts";
import { ConfigError } from "../../server/config.ts";
import { eventually } from "../fixtures/eventually.ts";
import { skullJob, startTestServer } from "../fixtures/test-server.ts";

test("an address that others can reach is not listened on without a token", async () => {
  for (const host of ["0.0.0.0", "::", "192.168.1.5", "parse3d.example"]) {
    const start = startTestServer({ http: { access: { kind: "loopback", host } } });
    await expect(start).rejects.toThrow(/PARSE3D_TOKEN/);
  }
});

test("a port that is taken is said, with what to do", async () => {
  await using server = await startTestServer();
  const second = startTestServer({ http: { port: server.server.port } });
  await expect(second).rejects.toBeInstanceOf(ConfigError);
  await expect(second).rejects.toThrow(
    `EADDRINUSE): another program does, maybe a Parse3D that runs already; stop that one, or choose another port, like PARSE3D_PORT=${server.server.port + 1}`,
  );
});

test("whether a port is taken can be asked before work is done for it", async () => {
  await using server = await startTestServer();
  const { port } = server.server;
  await expect(refuseTakenPort("127.0.0.1", port)).rejects.toThrow(/PARSE3D_PORT: .*EADDRINUSE/);
  await expect(refuseTakenPort("192.0.2.1", 0)).rejects.toThrow(/PARSE3D_HOST: .*no such address/);
  await server.server[Symbol.asyncDispose]();
  await refuseTakenPort("127.0.0.1", port);
  // It does not stay with the one who asked.
  await refuseTakenPort("127.0.0.1", port);
});

test("an IPv6 address has its brackets in the URL", async () => {
  await using server = await startTestServer({ http: { access: { kind: "loopback", host: "::1" } } });
  expect(server.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
});

test("stopping ends event streams and waiting uploads at once, and nothing listens afterwards", async () => {
  const server = await startTestServer();
  server.runner.hold();
  const { id } = await server.api.call("submitJob", { body: skullJob });
  const events = server.api.events(id);
  await events.next();
  const form = new FormData();
  form.append("prompts", "skull");
  form.append("modality", "CT");
  form.append("file", new Blob(["x"]), "x.nii");
  const upload = server.api.send("segmentNifti", { form });
  await eventually(async () => expect((await server.queue.load()).queued).toBe(1));
  const start = performance.now();
  await server[Symbol.asyncDispose]();
  expect(performance.now() - start).toBeLessThan(1500);
  for await (const _rest of events);
  expect(await (await upload).json()).toMatchObject({ status: 503, code: "model-unavailable", retryable: true });
  await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
  expect(server.runner.atWork).toBe(0);
});

test("a request that is being answered is answered before the server stops", async () => {
  const models = async () => {
    await sleep(200);
    return [];
  };
  const server = await startTestServer({ parts: { models } });
  const answer = fetch(`${server.url}/v1/models`);
  await sleep(50);
  await server[Symbol.asyncDispose]();
  expect((await answer).status).toBe(200);
});

test("an unforeseen error in a handler is answered blank with 500, and logged whole under the request's id", async () => {
  const models = () => Promise.reject(new RangeError("secret inside"));
  await using server = await startTestServer({ parts: { models } });
  const response = await fetch(`${server.url}/v1/models`);
  const text = await response.text();
  expect(response.status).toBe(500);
  expect(text).not.toContain("secret");
  expect(JSON.parse(text)).toMatchObject({ code: "internal", retryable: false });
  const line = server.log.lines().find(({ event }) => event === "http.broke");
  expect(line).toMatchObject({ requestId: response.headers.get("X-Request-Id"), err: { type: "RangeError" } });
  expect(JSON.stringify(line)).toContain("secret inside");
});

test("requests are logged by route, never by address", async () => {
  await using server = await startTestServer();
  await fetch(`${server.url}/v1/jobs/1.2.840.113619.2.5.1?name=Doe`);
  const line = expect.objectContaining({ event: "http.request", route: "readJob", method: "GET", status: 404 });
  await eventually(() => expect(server.log.lines()).toContainEqual(line));
  expect(server.log.text()).not.toContain("113619");
  expect(server.log.text()).not.toContain("Doe");
});
