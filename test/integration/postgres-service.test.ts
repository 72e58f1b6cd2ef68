import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openDicomweb } from "#server/dicomweb/index.ts";
import { freePort, type Orthanc } from "#server/orthanc/index.ts";
import { createApiClient } from "../fixtures/api-client.ts";
import { syntheticCt } from "../fixtures/synthetic-ct.ts";
import { startTestOrthanc } from "../fixtures/test-orthanc.ts";
import { describeWithPostgres, startTestPostgres } from "../fixtures/test-postgres.ts";

const command = resolve(import.meta.dirname, "../../bin/parse3d");
const { signal } = new AbortController();
let orthanc: Orthanc;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-killed-"));
  orthanc = await startTestOrthanc();
});
afterAll(async () => {
  await orthanc?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** `parse3d serve` in a process of its own. */
async function serve(environment: Readonly<Record<string, string>>) {
  const port = await freePort();
  const child = spawn(command, ["serve"], {
    stdio: "ignore",
    env: {
      ...process.env,
      PARSE3D_DATA_DIR: folder,
      PARSE3D_DICOMWEB_URL: orthanc.dicomwebUrl,
      PARSE3D_PORT: String(port),
      PARSE3D_LOG_LEVEL: "silent",
      PARSE3D_EXECUTION_PROVIDER: "cpu",
      ...environment,
    },
  });
  const api = createApiClient(`http://127.0.0.1:${port}`);
  await vi.waitFor(() => api.call("health"), { timeout: 120_000, interval: 50 });
  const end = async (how: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(how);
    await once(child, "exit");
  };
  return { api, kill: () => end("SIGKILL"), [Symbol.asyncDispose]: () => end("SIGTERM") };
}

/** Kills the server in the middle of a job, starts another one, and tells how the job ended. */
async function killInTheMiddle(environment: Readonly<Record<string, string>>, seed: string) {
  const ct = syntheticCt(80, 128, seed);
  using archive = openDicomweb({ url: orthanc.dicomwebUrl });
  for (const part10 of ct.instances()) await archive.sink.store(part10, { signal });

  await using first = await serve(environment);
  const { id } = await first.api.call("submitJob", { body: { ...ct.series, prompts: ["bone"] } });
  for await (const event of first.api.events(id)) if (event.type === "progress" && event.stage === "infer") break;
  expect((await first.api.call("readJob", { params: { id } })).state).toBe("running");
  await first.kill();

  await using second = await serve(environment);
  for await (const _event of second.api.events(id));
  const job = await second.api.call("readJob", { params: { id } });
  const { studyInstanceUid } = ct.series;
  const segs = await archive.archive.searchSeries({ studyInstanceUid, modality: "SEG" }, { signal });
  return { job, segs };
}

test("a server with jobs in its data folder that is killed in the middle of one ends it when it is back, with one SEG", async () => {
  const { job, segs } = await killInTheMiddle({ PARSE3D_JOBS: "durable" }, "embedded");
  expect(job).toMatchObject({ state: "succeeded", attempt: 2, findings: [{ present: true }] });
  expect(segs.map(({ seriesInstanceUid }) => seriesInstanceUid)).toEqual([job.result?.seg?.seriesInstanceUid]);
});

describeWithPostgres("with jobs on a PostgreSQL server", () => {
  test("the job of a server that is killed is ended by another one, with one SEG", async () => {
    await using postgres = await startTestPostgres();
    const { job, segs } = await killInTheMiddle({ PARSE3D_DATABASE_URL: await postgres.newDatabase() }, "server");
    expect(job).toMatchObject({ state: "succeeded", attempt: 2, findings: [{ present: true }] });
    expect(segs.map(({ seriesInstanceUid }) => seriesInstanceUid)).toEqual([job.result?.seg?.seriesInstanceUid]);
  });
});
