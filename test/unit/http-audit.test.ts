import { expect, test } from "vitest";
import type { AuditEntry } from "../../server/audit-log.ts";
import { createApiClient } from "../fixtures/api-client.ts";
import { skullJob, startTestServer } from "../fixtures/test-server.ts";

const token = "0123456789abcdef";

/** A server that notes into a list, or fails to. */
async function startAudited(note?: (entry: AuditEntry) => Promise<void>) {
  const noted: AuditEntry[] = [];
  const server = await startTestServer({
    http: { access: { kind: "tokens", host: "127.0.0.1", tokens: [token] } },
    parts: { audit: { note: note ?? (async (entry) => void noted.push(entry)) } },
  });
  return { ...server, noted, api: createApiClient(server.url, token) };
}

test("who asks for something or changes it is noted with how that ended, and nothing of what was asked", async () => {
  const server = await startAudited();
  const { id } = await server.api.call("submitJob", { body: skullJob });
  for await (const _event of server.api.events(id));
  await server.api.send("cancelJob", { params: { id } });
  await server.api.send("readPicture", { params: { id } });
  await server.api.send("cancelJob", { params: { id: "DOE JOHN" } });
  await server[Symbol.asyncDispose]();
  expect(server.noted.map(({ action, subject, status }) => [action, subject, status])).toEqual([
    ["submitJob", id, 202],
    ["cancelJob", id, 409],
    ["readPicture", id, expect.any(Number)],
    ["cancelJob", undefined, 404],
  ]);
  const [first] = server.noted;
  expect(first).toEqual({
    actor: expect.stringMatching(/^[0-9a-f]{16}$/),
    action: "submitJob",
    subject: id,
    status: 202,
    requestId: expect.any(String),
  });
  expect(JSON.stringify(server.noted)).not.toMatch(/skull|1\.2\.840|0123456789abcdef|DOE/);
});

test("who only looks at lists, shows no token, or is an archive that tells of arrivals is not noted", async () => {
  const server = await startAudited();
  await server.api.call("listJobs");
  await server.api.call("health");
  await server.api.send("orthancHook", { body: {} });
  expect((await createApiClient(server.url, "wrong-token-0000").send("submitJob", { body: skullJob })).status).toBe(
    401,
  );
  await server[Symbol.asyncDispose]();
  expect(server.noted).toEqual([]);
});

test("what cannot be noted is said in the log, and the request goes on", async () => {
  const server = await startAudited(() => Promise.reject(new Error("no database")));
  const { id } = await server.api.call("submitJob", { body: skullJob });
  expect(id).toMatch(/./);
  await server[Symbol.asyncDispose]();
  expect(server.log.text()).toContain("audit.not-noted");
});

test("the end waits for what is still to be noted", async () => {
  let done = false;
  const server = await startAudited(async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    done = true;
  });
  await server.api.call("submitJob", { body: skullJob });
  await server[Symbol.asyncDispose]();
  expect(done).toBe(true);
});
