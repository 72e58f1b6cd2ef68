import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { openDicomweb } from "#server/dicomweb/index.ts";
import { freePort } from "#server/orthanc/index.ts";
import { browserPath, openBrowser, type TestBrowser } from "../../ohif-extension/test/browser.ts";
import { type ApiClient, createApiClient } from "../fixtures/api-client.ts";
import { arrivingSeries, sendTo } from "../fixtures/arrivals.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";
import { startTestOrthanc } from "../fixtures/test-orthanc.ts";
import { describeWithPostgres, startTestPostgres } from "../fixtures/test-postgres.ts";
import { hasNginx, startViewerNginx } from "../fixtures/viewer-nginx.ts";
import { answerTo, promptBox } from "./panel.ts";

const missing = [...(browserPath ? [] : ["chromium"]), ...(hasNginx ? [] : ["nginx-light"])];
if (missing.length > 0) console.warn(`\n*** THE ARRANGEMENT OF COMPOSE IS NOT TESTED: no ${missing.join(", ")} ***\n`);

const root = resolve(import.meta.dirname, "../..");
const token = "0123456789abcdef";
const patience = { timeout: 60_000, interval: 250 };
const { signal } = new AbortController();

/** Everything that docker-compose.yml starts, as processes of this machine instead of containers. */
describeWithPostgres("archive, PostgreSQL, server, worker and viewer, arranged as compose does it", () => {
  describe.skipIf(missing.length > 0)("with a browser", arranged);
});

function arranged(): void {
  const stack = new AsyncDisposableStack();
  const ct = syntheticCt(12, 64, "arrangement");
  let api: ApiClient;
  let browser: TestBrowser;
  let viewerUrl: string;
  let archiveUrl: string;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "parse3d-arranged-"));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const port = await freePort();
    const serverUrl = `http://127.0.0.1:${port}`;
    const orthanc = stack.use(
      await startTestOrthanc({
        StableAge: 1,
        DicomWeb: JSON.parse(readFileSync(join(root, "orthanc/orthanc.json"), "utf8")).DicomWeb,
        LuaScripts: [join(root, "orthanc/parse3d.lua")],
        Parse3D: { Url: serverUrl, Token: token },
      }),
    );
    const postgres = stack.use(await startTestPostgres());
    const database = await postgres.newDatabase();
    const password = join(folder, "database-password");
    writeFileSync(password, "secret\n");
    const { services } = parse(readFileSync(join(root, "docker-compose.yml"), "utf8"), { merge: true });

    /** The service's own command and environment; only names of hosts are others here. */
    const start = (name: string): ChildProcess => {
      const { command, environment } = services[name] as { command: string[]; environment: Record<string, string> };
      const here = Object.entries(environment).map(([variable, value]) => [
        variable,
        variable === "PARSE3D_DATABASE_URL"
          ? database
          : value
              .replace("http://orthanc:8042", orthanc.baseUrl)
              .replace(/\$\{PARSE3D_TOKEN:\?[^}]*\}/, token)
              .replace(/\$\{\w+:\?[^}]*\}/, "secret")
              .replace("/run/secrets/database-password", password)
              .replace(/\$\{PARSE3D_LOG_LEVEL:-\w+\}/, "warn"),
      ]);
      const child = spawn(process.execPath, command.slice(1), {
        cwd: root,
        stdio: ["ignore", "ignore", "inherit"],
        env: {
          PATH: process.env.PATH,
          ...Object.fromEntries(here),
          PARSE3D_HOST: "127.0.0.1",
          PARSE3D_PORT: String(port),
          PARSE3D_DATA_DIR: join(folder, "data"),
        },
      });
      stack.defer(async () => {
        const exited = once(child, "exit");
        if (child.exitCode === null && child.kill("SIGTERM")) await exited;
      });
      return child;
    };
    start("server");
    start("worker-cpu");
    api = createApiClient(serverUrl, token);
    archiveUrl = orthanc.baseUrl;
    using archive = openDicomweb({ url: orthanc.dicomwebUrl });
    for (const part10 of ct.instances()) await archive.sink.store(part10, { signal });

    const files = join(folder, "viewer");
    execFileSync(process.execPath, ["bin/write-viewer.ts", files, join(root, ".cache/viewer")], { cwd: root });
    expect(existsSync(join(files, "plugins/runtime.js"))).toBe(true);
    const viewer = await startViewerNginx({ files, archiveUrl: orthanc.baseUrl, serverUrl, token });
    stack.use(viewer);
    viewerUrl = viewer.url;
    browser = stack.use(await openBrowser());
    browser.page.setDefaultTimeout(180_000);
  });
  afterAll(() => stack.disposeAsync());

  test("a worker announces itself, and the server is ready", async () => {
    const workers = async () => (await fetchJson("/parse3d-api/v1/workers")) as { workers: readonly unknown[] };
    await expect.poll(async () => (await workers().catch(() => ({ workers: [] }))).workers.length, patience).toBe(1);
    expect(await fetchJson("/parse3d-api/readyz")).toMatchObject({ ready: true });
  });

  const fetchJson = async (path: string) => (await fetch(`${viewerUrl}${path}`)).json();

  test("what arrives is routed to the worker", async () => {
    const rule = {
      id: "bones",
      when: { tag: "Modality", equals: "CT" },
      ask: { prompts: ["bone"], model: "density-ct" },
    };
    await api.call("putRule", { body: rule });
    // As from a scanner: what this program writes is never routed.
    await sendTo(archiveUrl, arrivingSeries("arranged").slices(8));
    const jobs = async () => (await api.call("listJobs", { query: { submittedBy: "routing" } })).jobs;
    await expect.poll(async () => (await jobs()).map(({ state }) => state), patience).toEqual(["succeeded"]);
    const [job] = await jobs();
    expect(job).toMatchObject({ ruleId: "bones", priority: "routed", result: expect.anything() });
  });

  test("OHIF is served by nginx, asks the server through it, and shows what the worker found", async () => {
    const { page } = browser;
    await page.goto(`${viewerUrl}/parse3d?StudyInstanceUIDs=${ct.series.studyInstanceUid}`);
    await page.waitForSelector(promptBox, { timeout: 120_000 });
    const card = await answerTo(page, "lung");
    expect(card).toMatchObject({ state: "succeeded", overlay: "shown" });
    expect(card.text).toMatch(/lung: present/);
    expect(browser.complaints).toEqual([]);
  });
}
