import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { InstalledBundle } from "#models/index.ts";
import { ModelUnavailableError } from "#server/domain/index.ts";
import { InferenceProcess } from "../../server/engines/inference-process.ts";
import { writeTinyBundle } from "../fixtures/tiny-bundle.ts";

let folder: string;
let tiny: InstalledBundle;
let process: InferenceProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-inference-"));
  tiny = await writeTinyBundle(join(folder, "tiny"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => {
  process = new InferenceProcess();
});
afterEach(async () => {
  process.kill();
  await process.exited;
});

const load = (bundle: string) =>
  process.send({ kind: "load", engine: "bundle", folder: bundle, executionProvider: "cpu", sliceBatch: 1 });

test("voxels that were sent are not kept, however long the process lives", async () => {
  await load(tiny.folder);
  expect(await process.receive()).toMatchObject({ kind: "ready" });
  const size: [number, number, number] = [64, 64, 40];
  const ijkToLps = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] as const;
  const volume = { key: "one", size, ijkToLps, modality: "MR", unit: "arbitrary", voxelType: "Int16Array" } as const;
  const prompts = [{ id: "p1", text: "bright" }];
  await process.send({ kind: "begin", volume, prompts, merge: "exclusive", probabilities: false });
  expect(await process.receive()).toEqual({ kind: "voxels", needed: true });
  const sendSlab = async (k: number) => {
    const voxels = new Int16Array(64 * 64);
    await process.send({ kind: "slab", offset: k * 64 * 64, voxels });
    return new WeakRef(voxels);
  };
  const sent: WeakRef<Int16Array>[] = [];
  for (let k = 0; k < 20; k++) sent.push(await sendSlab(k));
  await setImmediate();
  collectGarbage();
  expect(sent.filter((slab) => slab.deref()).length).toBeLessThanOrEqual(1);
});

test("what a process said before it ended is heard, also by who was busy meanwhile", async () => {
  await load(join(folder, "nothing"));
  await process.exited;
  const said = await process.receive();
  expect(said).toMatchObject({ kind: "failed", error: { code: "model-unavailable", retryable: false } });
  await expect(process.receive()).rejects.toThrow(/manifest\.json/);
  await expect(process.send({ kind: "took" })).rejects.toThrow(/manifest\.json/);
});

test("who waits for a process that is killed hears why, and nothing that it said before", async () => {
  await load(tiny.folder);
  await process.receive();
  const waiting = process.receive();
  const reason = new Error("enough");
  process.kill(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(process.receive()).rejects.toBe(reason);
  await expect(process.send({ kind: "took" })).rejects.toBe(reason);
});

test("who sends to a process that has died hears of its death, and may ask again", async () => {
  await load(tiny.folder);
  await process.receive();
  globalThis.process.kill(process.pid!, "SIGKILL");
  await process.exited;
  await expect(process.send({ kind: "took" })).rejects.toBeInstanceOf(ModelUnavailableError);
  await expect(process.receive()).rejects.toMatchObject({ retryable: true, message: expect.stringMatching(/SIGKILL/) });
  expect(process.alive).toBe(false);
});

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}
