import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { InstalledBundle, InstalledModel } from "#models/index.ts";
import type { EngineModel, WarmState } from "#server/engines/index.ts";
import { createModelRegistry } from "#server/engines/index.ts";
import { providerOf } from "../../server/engines/child/provider-of.ts";
import { ask, diceWithLamps } from "../conformance/segmentation-model-suite.ts";
import { writeTinyBundle } from "../fixtures/tiny-bundle.ts";

let folder: string;
let tiny: InstalledBundle;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-pool-"));
  tiny = await writeTinyBundle(join(folder, "tiny"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const query = { modality: "MR", prompts: [], name: "tiny" };

/** Of the devices that are given, each process says which it has; without a GPU all of them compute on the CPU. */
async function poolOf(gpus: readonly number[]) {
  const registry = createModelRegistry({ installed: async () => [tiny], executionProvider: "cpu", gpus });
  const model = (await registry.choose(query)) as EngineModel;
  const members = () => model.status().members ?? [];
  return { model, members, [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose]() };
}

test("with several GPUs, questions at once are answered by a process on each, and alike", async () => {
  await using pool = await poolOf([0, 2]);
  const both = await Promise.all([ask(pool.model, ["bright"]), ask(pool.model, ["bright"])]);
  expect(both[0]).toEqual(both[1]);
  expect(diceWithLamps(both[0]!)).toBeGreaterThan(0.75);
  expect(pool.members().map(({ provider }) => provider?.deviceId)).toEqual([0, 2]);
  expect(new Set(pool.members().map(({ pid }) => pid)).size).toBe(2);
  expect(pool.model.status().state).toBe("idle");
});

test("one question after the other needs one process only; a third at once waits for the shorter queue", async () => {
  await using pool = await poolOf([0, 1]);
  await ask(pool.model, ["bright"]);
  await ask(pool.model, ["bright"]);
  expect(pool.members().map(({ state }) => state)).toEqual(["idle", "unloaded"]);
  await Promise.all(["bright", "dark", "bright"].map((text) => ask(pool.model, [text])));
  expect(pool.members().map(({ state }) => state)).toEqual(["idle", "idle"]);
});

test("closing ends all of its processes", async () => {
  const pool = await poolOf([0, 1]);
  await pool.model.warm();
  const pids = pool.members().map(({ pid }) => pid!);
  await pool[Symbol.asyncDispose]();
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
});

test("a GPU's number goes to the providers that know GPUs by number, and to no other", () => {
  expect(providerOf("cuda", 3)).toEqual({ name: "cuda", deviceId: 3 });
  expect(providerOf("tensorrt", 0)).toEqual({ name: "tensorrt", deviceId: 0 });
  expect([providerOf("cpu", 3), providerOf("webgpu", 3), providerOf("cuda", undefined)]).toEqual([
    "cpu",
    "webgpu",
    "cuda",
  ]);
});

test("models that are to be warm are loaded unasked and stay; what cannot be is told with its reason", async () => {
  const heard: WarmState[] = [];
  let installed: readonly InstalledModel[] = [tiny];
  await using registry = createModelRegistry({
    installed: async () => installed,
    warm: ["tiny", "elsewhere"],
    onWarm: (state) => heard.push(state),
    idleMs: 20,
  });
  await registry.warmUp();
  expect(heard).toEqual(
    [
      { model: "elsewhere", state: "failed", why: "it is not installed" },
      { model: "tiny", state: "ready" },
    ].toSpliced(0, 0, { model: "tiny", state: "loading" }),
  );
  const [{ pid } = {}] = registry.status();
  await ask(await registry.choose(query), ["bright"]);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(registry.status()).toMatchObject([{ state: "idle", pid }]);
  installed = [await writeTinyBundle(join(folder, "replaced"), { version: "2.0.0" })];
  await registry.warmUp();
  expect(heard.at(-1)).toEqual({ model: "tiny", state: "ready" });
  expect(registry.status()[0]?.pid).not.toBe(pid);
});
