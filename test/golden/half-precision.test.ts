import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { halfPrecision } from "#models/boltzformer/half-precision.ts";
import { HalfWeights, halvesOf } from "#models/boltzformer/half-weights.ts";
import { promptDecoder } from "#models/boltzformer/image-model.ts";
import { describeNetwork } from "#models/boltzformer/network-weights.ts";
import { openWeights } from "#models/boltzformer/weights/weights-file.ts";
import {
  buildHalfBoltzFormer,
  type InstalledBundle,
  openBundle,
  parseNetworkConfig,
  verifyBundle,
} from "#models/index.ts";
import type { OnnxModel } from "#models/onnx/model.ts";
import { createBundleModel } from "#server/engines/index.ts";
import { ask } from "../conformance/segmentation-model-suite.ts";
import { runInProcess } from "../fixtures/onnx-runner.ts";
import { dataPath, describeWithData } from "../fixtures/shared-data.ts";

const goldenPath = (name: string) => dataPath("boltzformer_golden", name);

test("numbers become the nearest of 16 bits, ties to even; what is out of reach becomes infinite", () => {
  const values = Float32Array.of(
    1,
    -2.5,
    65504,
    1e6,
    1 + 2 ** -11,
    1 + 3 * 2 ** -11,
    2 ** -24,
    Number.NEGATIVE_INFINITY,
  );
  const halves = new Uint16Array(halvesOf(values).slice().buffer);
  expect([...halves]).toEqual([0x3c00, 0xc100, 0x7bff, 0x7c00, 0x3c00, 0x3c02, 0x0001, 0xfc00]);
});

describeWithData("the small network in float16", () => {
  let folder: string;
  let bundle: InstalledBundle;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "parse3d-half-"));
    const { config } = JSON.parse(await readFile(goldenPath("small.json"), "utf8"));
    const options = {
      weights: goldenPath("small.ckpt"),
      folder,
      config: parseNetworkConfig(config),
      run: runInProcess,
    };
    await buildHalfBoltzFormer(options);
    bundle = (await openBundle(folder, { verify: true })) as InstalledBundle;
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("its weights are a file of their own, of about half the size, and nothing of float32 is left", async () => {
    const { size } = await stat(goldenPath("small.channels-last.safetensors"));
    const [weights] = bundle.manifest.files.weights;
    expect(weights!.bytes / size).toBeGreaterThan(0.45);
    expect(weights!.bytes / size).toBeLessThan(0.65);
    await expect(stat(join(folder, ".float32"))).rejects.toThrow("ENOENT");
  });

  test("it agrees with upstream's numbers as far as sixteen bits and the draws that they turn let it; the manifest says how far", async () => {
    const { maxAbsDiff } = await verifyBundle(bundle, goldenPath("small.golden.safetensors"), runInProcess);
    expect(maxAbsDiff.existence_logits).toBeLessThan(0.05);
    expect(maxAbsDiff.existence_logits).toBeGreaterThan(0);
    const { agreement } = bundle.manifest.precision!;
    expect(agreement.maskLogits.mean).toBeLessThan(0.02 * agreement.maskLogits.spread);
    expect(agreement.samePixels).toBeGreaterThan(0.99);
  });

  test("the engine runs it as any other bundle, its golden sample and all", async () => {
    await using model = createBundleModel(bundle);
    expect((await ask(model, ["liver"])).length).toBeGreaterThan(0);
  });

  test("softmax, norms, powers and what the sampling compares are computed in float32, products in float16", async () => {
    const { config } = JSON.parse(await readFile(goldenPath("small.json"), "utf8"));
    const network = describeNetwork(await openWeights(goldenPath("small.ckpt")), parseNetworkConfig(config));
    const graph = halfPrecision(promptDecoder({ ...network, file: "w" }), new HalfWeights("w"));
    const kinds = kindsOf(graph);
    const inputKinds = (op: string) =>
      new Set(graph.nodes.filter((node) => node.op === op).flatMap(({ inputs }) => inputs.map((name) => kinds(name))));
    for (const op of ["Softmax", "Pow", "LayerNormalization", "Less", "ReduceMax"])
      expect([op, inputKinds(op).has("half")]).toEqual([op, false]);
    for (const op of ["MatMul", "Gemm"]) expect([op, inputKinds(op).has("float")]).toEqual([op, false]);
  });
});

/** What names say of themselves and Casts of what they make: enough for these operators' inputs. */
function kindsOf({ nodes, initializers, inputs }: OnnxModel): (name: string) => "half" | "float" | "other" {
  const of = new Map<string, "half" | "float">();
  for (const { name, dtype } of [...initializers, ...inputs]) {
    if (dtype === "float16") of.set(name, "half");
    else if (dtype === "float32") of.set(name, "float");
  }
  for (const { op, inputs: given, outputs, attributes } of nodes) {
    const to = attributes?.to && "int" in attributes.to ? attributes.to.int : undefined;
    const kind = op === "Cast" ? (to === 10 ? "half" : "float") : given.map((name) => of.get(name)).find(Boolean);
    for (const name of outputs) if (kind && op !== "Shape" && op !== "Less") of.set(name, kind);
  }
  return (name) => of.get(name) ?? "other";
}
