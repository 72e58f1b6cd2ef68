import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { freePort } from "#server/orthanc/index.ts";
import { isSignedBy } from "#server/outbox/index.ts";
import { startServer } from "../../server/app.ts";
import { readConfig } from "../../server/config.ts";
import { createApiClient } from "../fixtures/api-client.ts";
import { sendTo } from "../fixtures/arrivals.ts";
import { fromScanner } from "../fixtures/from-scanner.ts";
import { createLogReader } from "../fixtures/log-reader.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";
import { startTestOrthanc } from "../fixtures/test-orthanc.ts";

const token = "0123456789abcdef";
const script = join(import.meta.dirname, "../../orthanc/parse3d.lua");

/** Takes whatever is posted to it. */
async function startReceiver() {
  const heard: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    heard.push({ path: request.url ?? "", headers: request.headers, body });
    response.end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    heard,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** The server and an Orthanc with our script, as an administrator sets them up; the poller alone would come too late. */
async function startBoth(scriptToken: string, environment: Readonly<Record<string, string>> = {}) {
  const dataFolder = await mkdtemp(join(tmpdir(), "parse3d-service-"));
  const port = await freePort();
  const orthanc = await startTestOrthanc({
    StableAge: 1,
    LuaScripts: [script],
    Parse3D: { Url: `http://127.0.0.1:${port}`, Token: scriptToken },
  });
  const config = readConfig({
    PARSE3D_DATA_DIR: dataFolder,
    PARSE3D_DICOMWEB_URL: orthanc.dicomwebUrl,
    PARSE3D_ORTHANC_URL: orthanc.baseUrl,
    PARSE3D_ROUTING_POLL_SECONDS: "3600",
    PARSE3D_JOBS: "durable",
    PARSE3D_PORT: String(port),
    PARSE3D_TOKEN: token,
    PARSE3D_EXECUTION_PROVIDER: "cpu",
    // The same archive by another name: it has the result already, which is no failure.
    PARSE3D_DESTINATIONS: JSON.stringify({ again: { url: orthanc.dicomwebUrl } }),
    ...environment,
  });
  const log = createLogReader();
  const server = await startServer(config, log.logger);
  return {
    orthanc,
    log,
    url: server.url,
    api: createApiClient(server.url, token),
    begun: () => vi.waitFor(() => expect(log.text()).toContain("routing.begun"), 20_000),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await orthanc[Symbol.asyncDispose]();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}

test("Orthanc's script wakes the server: a series that arrives has its SEG beside it, and the SEG starts nothing", async () => {
  await using receiver = await startReceiver();
  await using both = await startBoth(token, { PARSE3D_NOTIFY_URL: receiver.url, PARSE3D_NOTIFY_SECRET: token });
  await both.begun();
  const rule = { id: "bones", when: { tag: "Modality", exists: true }, ask: { prompts: ["bone"] }, derived: true };
  const refused = await both.api.send("putRule", { body: { ...rule, destination: { modality: "NOWHERE" } } });
  expect(refused.status).toBe(400);
  await both.api.call("putRule", { body: { ...rule, destination: { dicomweb: "again" } } });
  await sendTo(both.orthanc.baseUrl, fromScanner("arriving"));
  const routed = () => both.api.call("listJobs", { query: { submittedBy: "routing" } });
  await vi.waitFor(async () => expect((await routed()).jobs).toMatchObject([{ state: "succeeded", ruleId: "bones" }]), {
    timeout: 90_000,
    interval: 200,
  });
  const [job] = (await routed()).jobs;
  expect(job).toMatchObject({ priority: "routed", attempt: 1, findings: [{ present: true }] });
  const seg = job?.result?.seg?.seriesInstanceUid ?? "none";
  await vi.waitFor(
    async () => expect((await routed()).jobs[0]?.result?.notes).toContain("Sent to the archive again."),
    20_000,
  );
  await vi.waitFor(() => expect(receiver.heard).toHaveLength(1), 20_000);
  const [notice] = receiver.heard;
  const body = notice?.body ?? "";
  expect(JSON.parse(body)).toMatchObject({ event: "job.succeeded", jobId: job?.id, ruleId: "bones" });
  expect(isSignedBy(String(notice?.headers["parse3d-signature"]), body, token, Date.now() / 1000)).toBe(true);

  // The SEG becomes stable, the script tells of it, the poller looks and leaves it alone.
  await vi.waitFor(() => expect(both.log.text()).toContain("routing.never"), { timeout: 30_000, interval: 100 });
  expect((await routed()).jobs).toHaveLength(1);
  const never = both.log.lines().filter(({ event }) => event === "routing.never");
  expect(never).toMatchObject([{ reason: expect.stringContaining("modality SEG") }]);
  const found = await fetch(`${both.orthanc.baseUrl}/tools/find`, {
    method: "POST",
    body: JSON.stringify({ Level: "Series", Query: { SeriesInstanceUID: seg } }),
  });
  expect(await found.json()).toHaveLength(1);
  expect((await both.api.call("listJobs")).jobs).toEqual([]);
});

test("a script with a wrong token wakes nobody, and Orthanc goes on", async () => {
  await using both = await startBoth("wrong-token-000000");
  await both.begun();
  await sendTo(both.orthanc.baseUrl, fromScanner("unheard"));
  await vi.waitFor(() => {
    const told = both.log.lines().filter(({ status }) => status === 401);
    expect(told.length).toBeGreaterThan(0);
  }, 30_000);
  expect(both.log.text()).not.toContain("routing.routed");
  expect((await fetch(`${both.orthanc.baseUrl}/system`)).ok).toBe(true);
  expect(await both.api.call("orthancHook", { body: { event: "StableSeries" } })).toEqual({ woken: true });
  await vi.waitFor(() => expect(both.log.text()).toContain("routing.routed"), { timeout: 20_000, interval: 100 });
});

test("Orthanc with the configuration of docker-compose.yml tells the server, with the token of its environment", async () => {
  await using receiver = await startReceiver();
  vi.stubEnv("PARSE3D_HOOK_URL", receiver.url);
  vi.stubEnv("PARSE3D_TOKEN", token);
  const {
    HttpPort,
    DicomPort,
    Name: _ours,
    ...settings
  } = JSON.parse(await readFile(join(import.meta.dirname, "../../orthanc/orthanc.json"), "utf8"));
  expect([HttpPort, DicomPort]).toEqual([8042, 4242]);
  try {
    await using orthanc = await startTestOrthanc({
      ...settings,
      LuaScripts: [script],
      StableAge: 1,
      AuthenticationEnabled: false,
      RemoteAccessAllowed: false,
    });
    await sendTo(orthanc.baseUrl, syntheticCt(2, 16, "compose").instances());
    await vi.waitFor(() => expect(receiver.heard).toHaveLength(1), 20_000);
    const [told] = receiver.heard;
    expect([told?.path, told?.headers.authorization]).toEqual(["/v1/hooks/orthanc", `Bearer ${token}`]);
  } finally {
    vi.unstubAllEnvs();
  }
});
