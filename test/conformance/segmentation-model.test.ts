import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type InstalledAzureMl,
  type InstalledBundle,
  type InstalledLabels,
  type InstalledOpenInference,
  openModelStore,
} from "#models/index.ts";
import { ModelUnavailableError } from "#server/domain/index.ts";
import { createBundleModel, createLabelsModel, createRemoteModel, type EngineModel } from "#server/engines/index.ts";
import { KEY, startAzureEndpoint, writeAzureModel } from "../fixtures/azure-endpoint.ts";
import { createFakeModel } from "../fixtures/fake-model.ts";
import type { HttpFixture } from "../fixtures/http-fixture.ts";
import { startInferenceServer, writeOpenInferenceModel } from "../fixtures/open-inference-server.ts";
import { writeTinyBundle } from "../fixtures/tiny-bundle.ts";
import { writeTinyLabels } from "../fixtures/tiny-labels.ts";
import { ask, describeSegmentationModel, diceWithLamps, type ModelUnderTest } from "./segmentation-model-suite.ts";

let folder: string;
let bundle: InstalledBundle;
let labels: InstalledLabels;
let densityCt: InstalledBundle;
let slowLabels: InstalledLabels;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "parse3d-models-"));
  bundle = await writeTinyBundle(join(folder, "tiny"));
  labels = await writeTinyLabels(join(folder, "tiny-labels"));
  densityCt = (await openModelStore(join(folder, "store")).ensureBuiltIn()).densityCt as InstalledBundle;
  slowLabels = await writeTinyLabels(join(folder, "slow-labels"), {}, 6000);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const open = { modality: "MR", lamps: "bright", rest: "dark", unknownWords: "absent", scored: true } as const;
const closed = { ...open, rest: "dim", unknownWords: "refused", scored: false } as const;
const density = { ...open, modality: "CT", lamps: "bone", rest: "soft tissue" } as const;

describeSegmentationModel("the fake", async () => ({ ...open, model: createFakeModel() }));
describeSegmentationModel("a bundle", async () => inProcess(createBundleModel(bundle), open));
describeSegmentationModel("a labels network", async () => inProcess(createLabelsModel(labels), closed));
describeSegmentationModel("density-ct", async () => inProcess(createBundleModel(densityCt), density));

describe.each(["labels", "probabilities"] as const)("an endpoint that answers with %s", (form) => {
  let endpoint: HttpFixture;
  let elsewhere: InstalledAzureMl;
  beforeAll(async () => {
    endpoint = await startAzureEndpoint(form);
    elsewhere = await writeAzureModel(join(folder, `azure-${form}`), endpoint.url);
  });
  afterAll(() => endpoint[Symbol.asyncDispose]());
  const remoteKeys = { azureMl: { kind: "value", value: KEY } } as const;

  describeSegmentationModel("azure-ml", async () =>
    inProcess(createRemoteModel(elsewhere, { remoteKeys }), { ...open, scored: false }),
  );
});

describe("a server of the Open Inference Protocol", () => {
  let server: HttpFixture;
  let served: InstalledOpenInference;
  beforeAll(async () => {
    server = await startInferenceServer(bundle);
    served = await writeOpenInferenceModel(join(folder, "served"), bundle, server.url);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  describeSegmentationModel("open-inference", async () => inProcess(createRemoteModel(served), open));
});

function inProcess(model: EngineModel, facts: Omit<ModelUnderTest, "model">): ModelUnderTest {
  return { ...facts, model, pid: () => model.status().pid, warm: () => model.warm() };
}

describe.each([
  ["bundle", () => createBundleModel(bundle)],
  ["labels", () => createLabelsModel(labels)],
])("the inference process of a %s model", (_, create) => {
  test("killed in the middle of a run, it fails that run retryably, and the next run works", async () => {
    await using model = create();
    const running = ask(model, ["bright"], undefined, { onResult: () => killOnce(model) });
    await expect(running).rejects.toBeInstanceOf(ModelUnavailableError);
    await expect(running).rejects.toMatchObject({ retryable: true });
    expect(diceWithLamps(await ask(model, ["bright"]))).toBeGreaterThan(0.75);
  });

  test("closing the model leaves no process", async () => {
    const model = create();
    await ask(model, ["bright"]);
    const pid = model.status().pid!;
    expect(isRunning(pid)).toBe(true);
    await model[Symbol.asyncDispose]();
    expect(isRunning(pid)).toBe(false);
    expect(model.status().state).toBe("unloaded");
  });
});

describe("a network in the middle of its computation", () => {
  test("is stopped within a second, with the signal's reason", async () => {
    await using model = createLabelsModel(slowLabels);
    const abort = new AbortController();
    const reason = new Error("enough");
    const running = ask(model, ["bright"], undefined, { signal: abort.signal, progress: stageReached("infer") });
    const ended = running.then(
      () => "answered",
      (error: unknown) => error,
    );
    await reached;
    const pid = model.status().pid!;
    const started = performance.now();
    abort.abort(reason);
    expect(await ended).toBe(reason);
    expect(performance.now() - started).toBeLessThan(1000);
    await model[Symbol.asyncDispose]();
    expect(isRunning(pid)).toBe(false);
  });

  let reached: Promise<void>;
  function stageReached(wanted: string) {
    const { promise, resolve } = Promise.withResolvers<void>();
    reached = promise;
    return (stage: string) => {
      if (stage === wanted) setTimeout(resolve, 200);
    };
  }
});

function killOnce(model: EngineModel): void {
  const { pid } = model.status();
  if (pid !== undefined) process.kill(pid, "SIGKILL");
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
