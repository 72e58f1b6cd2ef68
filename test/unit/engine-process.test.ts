import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Volume } from "#converters/geometry/index.ts";
import type { InstalledBundle, InstalledLabels } from "#models/index.ts";
import { ModelUnavailableError, type SliceResult } from "#server/domain/index.ts";
import { createBundleModel } from "#server/engines/index.ts";
import { ask, diceWithLamps } from "../conformance/segmentation-model-suite.ts";
import { writeTinyBundle } from "../fixtures/tiny-bundle.ts";
import { writeTinyLabels } from "../fixtures/tiny-labels.ts";
import { twoLamps } from "../fixtures/two-lamps.ts";

let folder: string;
let tiny: InstalledBundle;
let slow: InstalledLabels;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-process-"));
  tiny = await writeTinyBundle(join(folder, "tiny"));
  slow = await writeTinyLabels(join(folder, "slow"), {}, 8000);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a model that is asked nothing holds no process; one that is left alone gives it up", async () => {
  await using model = createBundleModel(tiny, { idleMs: 50 });
  expect(model.status()).toEqual({ model: "tiny", state: "unloaded" });
  await ask(model, ["bright"]);
  const { state, pid } = model.status();
  expect(state).toBe("idle");
  expect(isRunning(pid!)).toBe(true);
  await expect.poll(() => isRunning(pid!), { timeout: 5000 }).toBe(false);
  expect(model.status().state).toBe("unloaded");
  expect(diceWithLamps(await ask(model, ["bright"]))).toBeGreaterThan(0.75);
});

test("the next question is answered by the same process", async () => {
  await using model = createBundleModel(tiny);
  await ask(model, ["bright"]);
  const { pid } = model.status();
  await ask(model, ["dark"]);
  expect(model.status().pid).toBe(pid);
});

test("voxels that lie in a Buffer, in the middle of it, arrive like any others", async () => {
  await using model = createBundleModel(tiny);
  const { geometry, voxels } = twoLamps();
  const grey = Buffer.concat([Buffer.alloc(3), Uint8Array.from(voxels, (value) => value / 4)]).subarray(3);
  const results: SliceResult[] = [];
  const volume: Volume = { ...twoLamps(), geometry, voxels: grey };
  const run = { signal: new AbortController().signal, progress: () => {}, note: () => {} };
  const options = { merge: "exclusive", probabilities: false } as const;
  for await (const result of model.segment(volume, [{ id: "p1", text: "bright" }], options, run)) results.push(result);
  expect(diceWithLamps(results)).toBeGreaterThan(0.75);
});

test("without a GPU, auto computes on the CPU and says why; cuda is refused", async () => {
  await using auto = createBundleModel(tiny, { executionProvider: "auto" });
  expect(diceWithLamps(await ask(auto, ["bright"]))).toBeGreaterThan(0.75);
  const { provider } = auto.status();
  expect(provider?.requested).toBe("auto");
  if (provider?.actual === "cuda") return;
  expect(provider?.fallbackReason).toMatch(/onnxruntime says/);
  await using cuda = createBundleModel(tiny, { executionProvider: "cuda" });
  const refusal = ask(cuda, ["bright"]);
  await expect(refusal).rejects.toBeInstanceOf(ModelUnavailableError);
  await expect(refusal).rejects.toMatchObject({ retryable: false });
});

test("a program that ends is not kept alive by an idle model", async () => {
  const ending = spawnAsker("tiny", "await ask(); process.stdout.write('answered\\n');");
  const [output, code] = await Promise.all([firstLine(ending), exitOf(ending)]);
  expect(output).toBe("answered");
  expect(code).toBe(0);
});

test("no process outlives a server that was killed, even in the middle of its computation", async () => {
  const server = spawnAsker(
    "slow",
    `void ask();
    while (!computing) await new Promise((resolve) => setTimeout(resolve, 20));
    process.stdout.write(model.status().pid + "\\n");`,
  );
  const pid = Number(await firstLine(server));
  await setTimeout(200);
  expect(isRunning(pid)).toBe(true);
  process.kill(server.pid!, "SIGKILL");
  await expect.poll(() => isRunning(pid), { timeout: 3000 }).toBe(false);
});

test("no process outlives the thread that asked it, even in the middle of its computation", async () => {
  const thread = new Worker(
    `(async () => {
      const { parentPort } = require("node:worker_threads");
      ${program(
        "slow",
        `void ask();
        while (!computing) await new Promise((resolve) => setTimeout(resolve, 20));
        parentPort.postMessage(model.status().pid);`,
      )}
    })()`,
    { eval: true },
  );
  const [pid] = (await once(thread, "message")) as [number];
  await setTimeout(200);
  expect(isRunning(pid)).toBe(true);
  await thread.terminate();
  await expect.poll(() => isRunning(pid), { timeout: 3000 }).toBe(false);
});

/** Statements that open one of the test's models as `model`; `computing` says that it computes. */
function program(name: "tiny" | "slow", body: string): string {
  const url = (path: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, path)).href);
  const installed = name === "tiny" ? tiny : slow;
  return `
    const { createBundleModel, createLabelsModel } = await import(${url("../../server/engines/index.ts")});
    const { openBundle } = await import(${url("../../models/index.ts")});
    const { twoLamps } = await import(${url("../fixtures/two-lamps.ts")});
    const installed = await openBundle(${JSON.stringify(installed.folder)});
    const model = installed.engine === "bundle" ? createBundleModel(installed) : createLabelsModel(installed);
    let computing = false;
    const run = { signal: new AbortController().signal, progress: (stage) => { computing ||= stage === "infer"; }, note: () => {} };
    const ask = async () => {
      for await (const _ of model.segment(twoLamps(), [{ id: "p1", text: "bright" }], { merge: "exclusive", probabilities: false }, run));
    };
    ${body}`;
}

/** A program of its own that runs them. */
function spawnAsker(name: "tiny" | "slow", body: string) {
  const args = ["--input-type=module", "-e", program(name, body)];
  return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
}

async function firstLine(child: ReturnType<typeof spawnAsker>): Promise<string> {
  let text = "";
  for await (const chunk of child.stdout!) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0]!;
}

function exitOf(child: ReturnType<typeof spawnAsker>): Promise<number | null> {
  return new Promise((resolve) => child.on("exit", resolve));
}

/** False for a process that has ended, also while nobody has asked for its exit code. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readStatus(pid));
  } catch {
    return false;
  }
}

function readStatus(pid: number): string {
  return process.platform === "linux" ? readFileSync(`/proc/${pid}/status`, "utf8") : "";
}
