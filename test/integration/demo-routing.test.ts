import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { freePort } from "#server/orthanc/index.ts";
import { demoFiles } from "../../server/demo/system-packages.ts";
import { createApiClient } from "../fixtures/api-client.ts";
import { arrivingSeries, sendTo } from "../fixtures/arrivals.ts";

const command = resolve(import.meta.dirname, "../../bin/parse3d");
const hasImages = existsSync(demoFiles.ctHead) && existsSync(demoFiles.mrHead);
if (!hasImages)
  console.warn("\n*** THE DEMO'S IMAGES ARE NOT INSTALLED (npm run setup): its routing test is SKIPPED. ***\n");

const SIDE = 8;
/** Stored values of one slice: bone everywhere, 700 HU. */
const bone = new Uint8Array(new Uint16Array(SIDE * SIDE).fill(1024 + 700).buffer);

describe.skipIf(!hasImages)("the demo with jobs that are kept", () => {
  test("routes what arrives in its Orthanc once a rule is added; its own studies and the SEG that comes of it start nothing", async () => {
    const folder = await mkdtemp(join(tmpdir(), "parse3d-demo-"));
    const port = await freePort();
    const child = spawn(command, ["demo"], {
      stdio: ["ignore", "ignore", "pipe"],
      env: {
        ...process.env,
        PARSE3D_DATA_DIR: folder,
        PARSE3D_JOBS: "durable",
        PARSE3D_PORT: String(port),
        PARSE3D_LOG_LEVEL: "debug",
      },
    });
    const ended = once(child, "exit");
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    try {
      await vi.waitFor(() => expect(said).toContain("Ctrl-C stops"), { timeout: 200_000, interval: 200 });
      expect(said).toContain("routing.begun");
      const orthanc = /http:\/\/127\.0\.0\.1:\d+(?=\/app\/explorer)/.exec(said)?.[0] ?? "";
      const api = createApiClient(`http://127.0.0.1:${port}`);
      const rule = { id: "demo", when: { tag: "Modality", exists: true }, ask: { prompts: ["bone"] }, derived: true };
      await api.call("putRule", { body: rule });
      const arriving = arrivingSeries("demo", { Rows: SIDE, Columns: SIDE, PixelData: bone });
      await sendTo(orthanc, arriving.slices(3));
      const routed = () => api.call("listJobs", { query: { submittedBy: "routing" } });
      await vi.waitFor(
        async () =>
          expect((await routed()).jobs).toMatchObject([{ state: "succeeded", findings: [{ present: true }] }]),
        { timeout: 60_000, interval: 200 },
      );
      await vi.waitFor(() => expect(said).toMatch(/routing\.never.*modality SEG/), { timeout: 60_000, interval: 200 });
      expect((await routed()).jobs).toHaveLength(1);
    } finally {
      child.kill("SIGINT");
      await ended;
      await rm(folder, { recursive: true, force: true });
    }
  });
});
