import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { InstalledBundle } from "#models/index.ts";
import { openDicomweb } from "#server/dicomweb/index.ts";
import { freePort, startOrthanc } from "#server/orthanc/index.ts";
import { createApiClient } from "../../test/fixtures/api-client.ts";
import { syntheticCt } from "../../test/fixtures/synthetic-ct.ts";
import { compare, type Report } from "../figure.ts";
import { peakMiBOf } from "../peak-memory.ts";

const SIDE = 512;
const SLICES = 600;
const PROMPTS = 20;
const LIMIT_MIB = 1.5 * 1024;

/** Masks of every prompt in the slices of a ball: what organs are like, but larger. Or noise in all slices: nothing is worse. */
export type MaskKind = "solid" | "noise";

/**
 * The server process' peak memory for 20 prompts, all of them found, on 512 x 512 x 600 voxels out of an Orthanc. The network is
 * in another process, whose size does not matter here: the tests' double that finds what is bright, or the small network.
 */
export async function serverMemory(report: Report, bundle: InstalledBundle, kind: MaskKind): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "parse3d-bench-"));
  const model = bundle.manifest.name;
  try {
    const models = join(folder, "data", "models");
    await mkdir(models, { recursive: true });
    await cp(bundle.folder, join(models, model), { recursive: true });
    await using orthanc = await startOrthanc({ storageFolder: join(folder, "orthanc") });
    report.note(`storing ${SLICES} slices of ${SIDE}x${SIDE} ...`);
    const { series, instances } = syntheticCt(SLICES, SIDE, "bench server memory");
    {
      using dicomweb = openDicomweb({ url: orthanc.dicomwebUrl });
      const { signal } = new AbortController();
      for (const instance of instances()) await dicomweb.sink.store(instance, { signal });
    }
    await using server = await startServerProcess(orthanc.dicomwebUrl, join(folder, "data"));
    report.note(`${PROMPTS} prompts on them ...`);
    const api = createApiClient(server.url);
    const prompts = Array.from({ length: PROMPTS }, (_, n) => `bright structure ${n + 1}`);
    const { id } = await api.call("submitJob", {
      body: { ...series, prompts, model, presenceThreshold: 0, merge: "overlapping" },
    });
    for await (const _event of api.events(id));
    const { state, result, findings, problem } = await api.call("readJob", { params: { id } });
    if (state !== "succeeded" || !result) throw new Error(`the job ${state}: ${problem?.detail}`);
    report.note(`found: ${findings.filter(({ present }) => present).length} of ${PROMPTS}`);
    const what = `server process, ${SIDE}x${SIDE}x${SLICES}, ${PROMPTS} prompts, ${kind} masks`;
    report.figure(compare(what, "peak MiB", [peakMiBOf(server.pid)], { name: "1.5 GiB", samples: [LIMIT_MIB] }));
    const seconds = Object.values(result.seconds).reduce((sum, one) => sum + one, 0);
    report.figure(compare("the same job", "s", [seconds]));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The server as a user starts it: bin/parse3d becomes it, and sets how memory is taken. */
async function startServerProcess(dicomwebUrl: string, dataFolder: string) {
  const port = await freePort();
  const child = spawn(join(import.meta.dirname, "../../bin/parse3d"), ["serve"], {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      PATH: process.env.PATH,
      PARSE3D_PORT: String(port),
      PARSE3D_DATA_DIR: dataFolder,
      PARSE3D_DICOMWEB_URL: dicomwebUrl,
      PARSE3D_LOG_LEVEL: "error",
    },
  });
  const exited = once(child, "exit");
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 600; attempt++) {
    if (child.exitCode !== null) throw new Error("the server did not start");
    const answers = await fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answers) break;
    await delay(100);
  }
  return {
    url,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
