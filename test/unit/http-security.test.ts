import { request } from "node:http";
import { describe, expect, test } from "vitest";
import { createApiClient } from "../fixtures/api-client.ts";
import { skullJob, startTestServer } from "../fixtures/test-server.ts";

const [alice, bob] = ["alice-secret-token-1", "bob-secret-token-22"];
const withTokens = { http: { access: { kind: "tokens", host: "127.0.0.1", tokens: [alice, bob] } } } as const;

describe("where a token is configured", () => {
  test.each([
    "/v1/jobs",
    "/v1/jobs/x",
    "/v1/jobs/x/events",
    "/v1/models",
    "/v1/vocabulary",
    "/readyz",
    "/metrics",
    "/nowhere",
  ])("%s asks for it, and says how", async (path) => {
    await using server = await startTestServer(withTokens);
    const response = await fetch(server.url + path);
    expect(response.status).toBe(401);
    expect(response.headers.get("WWW-Authenticate")).toBe('Bearer realm="parse3d"');
    expect(await response.json()).toMatchObject({ code: "unauthenticated", retryable: false });
  });

  test.each([
    ["that it lives", "/healthz"],
    ["what the API is", "/docs"],
    ["the same for programs", "/openapi.json"],
    ["what a problem's type means", "/problems/unauthenticated"],
    ["a page without data, which asks for the token", "/ui"],
  ])("it tells anybody %s: %s", async (_, path) => {
    await using server = await startTestServer(withTokens);
    expect((await fetch(server.url + path)).status).toBe(200);
  });

  test.each([
    ["none", ""],
    ["an empty one", "Bearer "],
    ["a prefix of it", `Bearer ${alice.slice(0, -1)}`],
    ["more than it", `Bearer ${alice}x`],
    ["another scheme", `Basic ${alice}`],
    ["two of them", `Bearer ${alice} ${bob}`],
  ])("%s is refused", async (_name, authorization) => {
    await using server = await startTestServer(withTokens);
    const response = await fetch(`${server.url}/v1/models`, { headers: { Authorization: authorization } });
    expect(response.status).toBe(401);
    expect(server.log.text()).not.toContain(alice);
  });

  test("each token has jobs of its own: another's are not listed, read, followed or cancelled", async () => {
    await using server = await startTestServer(withTokens);
    server.runner.hold();
    const [a, b] = [createApiClient(server.url, alice), createApiClient(server.url, bob)];
    const { id } = await a.call("submitJob", { body: skullJob });
    expect((await a.call("listJobs")).jobs).toHaveLength(1);
    expect((await b.call("listJobs")).jobs).toEqual([]);
    for (const name of ["readJob", "cancelJob", "jobEvents"] as const) {
      expect((await b.send(name, { params: { id } })).status).toBe(404);
    }
    expect((await b.call("submitJob", { body: skullJob })).id).not.toBe(id);
    expect((await a.call("readJob", { params: { id } })).state).toBe("running");
  });
});

/** fetch sets Host and Origin itself; a raw request sends what it is told. */
function raw(
  url: string,
  method: string,
  headers: Record<string, string>,
): Promise<{ status?: number; headers: NodeJS.Dict<unknown> }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers }, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
    });
    sent.on("error", reject).end();
  });
}

describe("without a token", () => {
  test("a name that was pointed at this machine (DNS rebinding) is refused", async () => {
    await using server = await startTestServer();
    const { port } = server.server;
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example", "localhost.evil.example"]) {
      expect((await raw(`${server.url}/v1/models`, "GET", { Host: host })).status).toBe(403);
    }
    for (const host of [`127.0.0.1:${port}`, "localhost", `LOCALHOST:${port}`, `[::1]:${port}`]) {
      expect((await raw(`${server.url}/v1/models`, "GET", { Host: host })).status).toBe(200);
    }
  });

  test("a foreign page can neither read nor cause anything", async () => {
    await using server = await startTestServer();
    for (const origin of ["https://evil.example", "null", "http://localhost:3000"]) {
      const read = await raw(`${server.url}/v1/models`, "GET", { Origin: origin });
      expect(read.headers["access-control-allow-origin"]).toBeUndefined();
      expect((await raw(`${server.url}/v1/segment`, "POST", { Origin: origin })).status).toBe(403);
      const preflight = { Origin: origin, "Access-Control-Request-Method": "POST" };
      expect(
        (await raw(`${server.url}/v1/jobs`, "OPTIONS", preflight)).headers["access-control-allow-origin"],
      ).toBeUndefined();
    }
  });

  test("the server's own page may", async () => {
    await using server = await startTestServer();
    expect((await raw(`${server.url}/v1/jobs`, "POST", { Origin: server.url })).status).toBe(415);
  });
});

describe("pages of allowed origins", () => {
  const viewer = "https://viewer.example";
  const listed = { http: { cors: { kind: "list", origins: [viewer] } } } as const;

  test("a listed origin may ask, send its token, and read the headers that matter", async () => {
    await using server = await startTestServer(listed);
    const preflight = await raw(`${server.url}/v1/jobs`, "OPTIONS", {
      Origin: viewer,
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Private-Network": "true",
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      "access-control-allow-origin": viewer,
      "access-control-allow-methods": "GET, POST, DELETE",
      "access-control-allow-headers": "Authorization, Content-Type, Last-Event-ID",
      "access-control-allow-private-network": "true",
      vary: "Origin",
    });
    const answer = await raw(`${server.url}/v1/jobs/none`, "GET", { Origin: viewer });
    expect(answer.headers["access-control-allow-origin"]).toBe(viewer);
    expect(answer.headers["access-control-expose-headers"]).toContain("Parse3D-Findings");
    expect((await raw(`${server.url}/v1/jobs`, "POST", { Origin: "https://viewer.example.evil" })).status).toBe(403);
  });

  test("a preflight needs no token, as browsers send none", async () => {
    await using server = await startTestServer({ http: { ...withTokens.http, ...listed.http } });
    const preflight = { Origin: viewer, "Access-Control-Request-Method": "POST" };
    const answer = await raw(`${server.url}/v1/jobs`, "OPTIONS", preflight);
    expect([answer.status, answer.headers["access-control-allow-origin"]]).toEqual([204, viewer]);
  });

  test("loopback origins are this machine's, on any port", async () => {
    await using server = await startTestServer({ http: { cors: { kind: "loopback" } } });
    for (const origin of ["http://localhost:3000", "http://127.0.0.1:8042", "http://[::1]:5000"]) {
      expect(
        (await raw(`${server.url}/v1/models`, "GET", { Origin: origin })).headers["access-control-allow-origin"],
      ).toBe(origin);
    }
    for (const origin of ["http://localhost.evil.example", "http://127.0.0.1@evil.example", "file://", "null"]) {
      expect(
        (await raw(`${server.url}/v1/models`, "GET", { Origin: origin })).headers["access-control-allow-origin"],
      ).toBeUndefined();
    }
  });
});

test("every answer forbids caching, framing and sniffing, errors too", async () => {
  await using server = await startTestServer();
  for (const path of ["/v1/models", "/nowhere", "/docs", "/openapi.json"]) {
    const { headers } = await fetch(server.url + path);
    expect(headers.get("Cache-Control")).toBe("no-store");
    expect(headers.get("Content-Security-Policy")).toContain("frame-ancestors 'none'");
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("X-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
  }
});
