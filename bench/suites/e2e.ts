import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openDicomweb } from "#server/dicomweb/index.ts";
import type { SeriesRef } from "#server/domain/index.ts";
import { freePort, startOrthanc } from "#server/orthanc/index.ts";
import { createApiClient } from "../../test/fixtures/api-client.ts";
import { syntheticCt } from "../../test/fixtures/synthetic-ct.ts";
import { compare, type Report, type Suite } from "../figure.ts";

const SLICES = 120;
const SIDE = 512;
/** Each asks for another material, so that no answer is an earlier one. */
const PROMPTS = ["bone", "lung", "fat", "soft tissue", "body"];
const PROBE_EVERY_MS = 5;

export const programs: Suite["programs"] = { Orthanc: ["/usr/sbin/Orthanc", "--version"] };

/** Whole jobs on a server and an Orthanc of our own, and how quickly the server answers /healthz meanwhile. */
export async function run(report: Report): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "parse3d-bench-"));
  try {
    await using orthanc = await startOrthanc({ storageFolder: join(folder, "orthanc") });
    await using server = await startServerProcess(orthanc.dicomwebUrl, folder);
    report.note(`Storing ${SLICES} slices of ${SIDE}x${SIDE} ...`);
    const series = await store(orthanc.dicomwebUrl);
    await job(server.url, series, "air");

    const wall: number[] = [];
    const stages: Record<string, number[]> = {};
    const busy: number[] = [];
    const idle: number[] = [];
    for (const prompt of PROMPTS) {
      report.note(`Asking for "${prompt}" ...`);
      idle.push(percentile(await probe(server.url, delay(2000)), 0.99));
      const started = performance.now();
      const running = job(server.url, series, prompt);
      busy.push(percentile(await probe(server.url, running), 0.99));
      wall.push((performance.now() - started) / 1000);
      for (const [stage, seconds] of Object.entries((await running).seconds)) {
        stages[stage] = [...(stages[stage] ?? []), seconds];
      }
    }
    const what = `${SLICES} slices, one prompt of density-ct`;
    report.figure(compare("healthz p99 during a job", "ms", busy, { name: "idle server", samples: idle }));
    report.figure(compare(`prompt to stored SEG, ${what}`, "s", wall));
    for (const [stage, samples] of Object.entries(stages)) report.figure(compare(`${stage}, ${what}`, "s", samples));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The server as a user starts it, in a process of its own. */
async function startServerProcess(dicomwebUrl: string, folder: string) {
  const port = await freePort();
  const child = spawn(process.execPath, [join(import.meta.dirname, "../../server/cli/main.ts"), "serve"], {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      PATH: process.env.PATH,
      PARSE3D_PORT: String(port),
      PARSE3D_DATA_DIR: join(folder, "data"),
      PARSE3D_DICOMWEB_URL: dicomwebUrl,
      PARSE3D_LOG_LEVEL: "error",
    },
  });
  const url = `http://127.0.0.1:${port}`;
  const exited = once(child, "exit");
  for (let attempt = 0; attempt < 300; attempt++) {
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
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

async function store(url: string): Promise<SeriesRef> {
  using dicomweb = openDicomweb({ url });
  const { signal } = new AbortController();
  const { series, instances } = syntheticCt(SLICES, SIDE, "bench e2e");
  for (const instance of instances()) await dicomweb.sink.store(instance, { signal });
  return series;
}

async function job(url: string, series: SeriesRef, prompt: string) {
  const api = createApiClient(url);
  const { id } = await api.call("submitJob", { body: { ...series, prompts: [prompt] } });
  for await (const _event of api.events(id));
  const { state, result, problem } = await api.call("readJob", { params: { id } });
  if (state !== "succeeded" || !result) throw new Error(`the job ${state}: ${problem?.detail}`);
  return result;
}

/** Milliseconds that /healthz took, again and again until `until` resolves. */
async function probe(url: string, until: Promise<unknown>): Promise<readonly number[]> {
  let done = false;
  const end = until.finally(() => {
    done = true;
  });
  const samples: number[] = [];
  while (!done) {
    const started = performance.now();
    await (await fetch(`${url}/healthz`)).arrayBuffer();
    samples.push(performance.now() - started);
    await delay(PROBE_EVERY_MS);
  }
  await end;
  return samples;
}

function percentile(samples: readonly number[], fraction: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN;
}
