import { link, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Graph } from "#models/boltzformer/graph.ts";
import { imageModel } from "#models/boltzformer/image-model.ts";
import { describeNetwork } from "#models/boltzformer/network-weights.ts";
import { layerNoise } from "#models/boltzformer/noise.ts";
import { placeWeights } from "#models/boltzformer/place-weights.ts";
import { openWeights } from "#models/boltzformer/weights/weights-file.ts";
import {
  type BundleManifest,
  buildBoltzFormer,
  type GraphTensor,
  type InstalledModel,
  openBundle,
  parseNetworkConfig,
  verifyBundle,
  verifyOwnSample,
  verifyPipeline,
} from "#models/index.ts";
import { encodeModel, type OnnxModel } from "#models/onnx/model.ts";
import { createBundleModel } from "#server/engines/index.ts";
import { madeWeight } from "../../bench/made-weights.ts";
import { ask } from "../conformance/segmentation-model-suite.ts";
import { runInProcess } from "../fixtures/onnx-runner.ts";
import { openSafetensors } from "../fixtures/safetensors.ts";
import { dataPath, describeWithData } from "../fixtures/shared-data.ts";
import { twoLamps } from "../fixtures/two-lamps.ts";

const goldenPath = (name: string) => dataPath("boltzformer_golden", name);
const TOLERANCE = 1e-4;

describeWithData("numbers that upstream's own code produced", () => {
  test("the made weights are the golden checkpoint's, bit for bit", async () => {
    const { tensors } = await openWeights(goldenPath("small.ckpt"));
    const file = await readFile(goldenPath("small.ckpt"));
    const different = [...tensors].filter(([name, { shape, offset }]) => {
      const made = Buffer.from(madeWeight(name, shape).buffer);
      return made.compare(file, offset, offset + made.length) !== 0;
    });
    expect(tensors.size).toBe(352);
    expect(different).toEqual([]);
  });

  test("the noise of seed 0 is the golden noise, bit for bit", () => {
    const golden = openSafetensors(goldenPath("small.golden.safetensors"));
    for (const head of [0, 1, 2, 3, 4]) {
      const { values } = golden.tensor(`noise.${head}`, "F32");
      expect(layerNoise(0, head, values.length)).toEqual(values);
    }
    expect(layerNoise(1, 0, 64)).not.toEqual(layerNoise(0, 0, 64));
  });

  test("all that happens around the network is as upstream does it, for all volumes", async () => {
    expect(await verifyPipeline(goldenPath("pipeline.golden.safetensors"))).toEqual({ cases: 18, different: [] });
  });
});

describeWithData.each(["small.ckpt", "small.channels-last.safetensors"])("the small network from %s", (weights) => {
  const golden = openSafetensors(goldenPath("small.golden.safetensors"));
  let folder: string;
  let bundle: Extract<InstalledModel, { engine: "bundle" }>;
  let manifest: BundleManifest;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "boltzformer-"));
    const description = JSON.parse(await readFile(goldenPath("small.json"), "utf8"));
    const config = parseNetworkConfig(description.config);
    manifest = await buildBoltzFormer({ weights: goldenPath(weights), folder, config, run: runInProcess });
    bundle = (await openBundle(folder, { verify: true })) as typeof bundle;
  });
  afterAll(() => rm(folder, { recursive: true }));

  const run = (file: string, inputs: Readonly<Record<string, GraphTensor>>) => runInProcess(join(folder, file), inputs);

  function expectEqual(actual: GraphTensor | undefined, name: string): void {
    const expected = golden.tensor(name, "F32");
    expect([name, ...(actual?.dims ?? [])]).toEqual([name, ...expected.shape]);
    const worst = expected.values.reduce((most, value, n) => {
      return Math.max(most, Math.abs(Number(actual!.data[n]) - value));
    }, 0);
    expect(worst, name).toBeLessThan(TOLERANCE);
  }

  const textTokens = (prefix: string) => {
    const { shape, values } = golden.tensor(`${prefix}text_tokens`, "F32");
    return { dtype: "float32", dims: shape, data: values } as const;
  };
  const image = (slices: number) => {
    const { values } = golden.tensor("image", "U8");
    const data = Float32Array.from(values.subarray(0, slices * 3 * 128 * 128));
    return { dtype: "float32", dims: [slices, 3, 128, 128], data } as const;
  };

  test("the text graph gives every token its embedding", async () => {
    const ids = golden.tensor("input_ids", "I64");
    const outputs = await run(manifest.files.textEncoder.name, {
      input_ids: { dtype: "int64", dims: ids.shape, data: ids.values },
    });
    expectEqual(outputs.token_embeddings, "token_embeddings");
  });

  test.each([
    ["one.", 1],
    ["", 3],
    ["three.", 3],
  ])("the image graph answers the layout '%s' of %i slices", async (prefix, slices) => {
    const outputs = await run(manifest.files.imageModel.name, {
      image: image(slices),
      text_tokens: textTokens(prefix),
    });
    for (const name of ["mask_logits", "edge_logits", "existence_logits"]) expectEqual(outputs[name], prefix + name);
  });

  const noiseOf = (seed: number) => {
    const { sampling } = manifest;
    const shapes = sampling.mode === "frozen" ? (sampling.noise ?? []) : [];
    return Object.fromEntries(
      shapes.map((dims, layer) => {
        const data = layerNoise(
          seed,
          layer,
          dims.reduce((product, length) => product * length, 1),
        );
        return [`noise_${layer}`, { dtype: "float32", dims, data } as const];
      }),
    );
  };

  test.each([
    ["one.", 1],
    ["", 3],
    ["three.", 3],
  ])(
    "its two halves answer the layout '%s' of %i slices too, and otherwise with other noise",
    async (prefix, slices) => {
      const features = await run(manifest.files.imageEncoder!.name, { image: image(slices) });
      const decode = (seed: number) =>
        run(manifest.files.promptDecoder!.name, {
          ...features,
          ...noiseOf(seed),
          text_tokens: textTokens(prefix),
        });
      const outputs = await decode(0);
      for (const name of ["mask_logits", "edge_logits", "existence_logits"]) expectEqual(outputs[name], prefix + name);
      const other = await decode(1);
      const { values } = golden.tensor(`${prefix}mask_logits`, "F32");
      expect(values.some((value, n) => Math.abs(value - Number(other.mask_logits!.data[n])) > 0.1)).toBe(true);
    },
  );

  test("another seed in the second half is the network that is built with that seed", async () => {
    const other = await mkdtemp(join(tmpdir(), "boltzformer-"));
    const config = parseNetworkConfig(await smallConfig());
    await buildBoltzFormer({ weights: goldenPath(weights), folder: other, config, seed: 5, run: runInProcess });
    const question = { image: image(1), text_tokens: textTokens("") };
    const whole = await runInProcess(join(other, "image_model.onnx"), question);
    const features = await run(manifest.files.imageEncoder!.name, { image: image(1) });
    const halves = await run(manifest.files.promptDecoder!.name, {
      ...features,
      ...noiseOf(5),
      text_tokens: textTokens(""),
    });
    const [known, answered] = [whole, halves].map((outputs) => Array.from(outputs.mask_logits!.data, Number));
    const worst = Math.max(...known!.map((value, n) => Math.abs(value - answered![n]!)));
    expect(worst).toBeLessThan(TOLERANCE);
    await rm(other, { recursive: true });
  });

  test("every value on the way is upstream's: backbone, scales, mask features and their means at each scale", async () => {
    const path = goldenPath(weights);
    const file = manifest.files.weights[0]!.name;
    const network = { ...describeNetwork(await openWeights(path), parseNetworkConfig(await smallConfig())), file };
    const model = imageModel(network, 0);
    await writeFile(join(folder, "probe.onnx"), Buffer.concat(encodeModel(withProbes(model, new Graph(network)))));
    const outputs = await run("probe.onnx", { image: image(3), text_tokens: textTokens("") });
    for (const name of ["backbone.res2", "backbone.res3", "backbone.res4", "backbone.res5"])
      expectEqual(outputs[`probe.${name}`], name);
    for (const name of ["scale0", "scale1", "scale2"]) expectEqual(outputs[name], name);
    expectEqual(outputs["probe.mask_features"], "mask_features");
    for (const [level, side] of [4, 8, 16].entries()) {
      const { values } = golden.tensor("mask_features", "F32");
      const expected = resizedByMeans(values, 3 * 64, 32, side);
      const actual = outputs[`mask_features${level}`]!.data;
      const worst = expected.reduce((most, value, n) => Math.max(most, Math.abs(Number(actual[n]) - value)), 0);
      expect(actual.length).toBe(expected.length);
      expect(worst).toBeLessThan(TOLERANCE);
    }
  });

  test("a bundle verifies against the golden file and against its own sample", async () => {
    const { maxAbsDiff } = await verifyBundle(bundle, goldenPath("small.golden.safetensors"), runInProcess);
    expect(Object.keys(maxAbsDiff)).toEqual(["mask_logits", "edge_logits", "existence_logits"]);
    for (const difference of Object.values(maxAbsDiff)) expect(difference).toBeLessThan(TOLERANCE);
    const own = await verifyOwnSample(bundle, runInProcess);
    expect(own.maxAbsDiff.mask_logits).toBeLessThan(TOLERANCE);
    expect(own.maxAbsDiff.existence_logits).toBeLessThan(TOLERANCE);
  });

  test("the engine takes the bundle, checks its sample and answers every slice and prompt", async () => {
    await using model = createBundleModel(bundle);
    const answers = await ask(model, ["liver", "left kidney"]);
    expect(answers).toHaveLength(2 * twoLamps().geometry.size[2]);
    expect(answers.every(({ existence }) => existence !== null && existence > 0 && existence < 1)).toBe(true);
  });

  test("a single wrong weight is seen by both", async () => {
    const copy = await mkdtemp(join(tmpdir(), "boltzformer-"));
    const { textEncoder, imageModel: whole, imageEncoder, promptDecoder } = manifest.files;
    for (const { name } of [textEncoder, whole, imageEncoder!, promptDecoder!])
      await link(join(folder, name), join(copy, name));
    const { name } = manifest.files.weights[0]!;
    const bytes = await readFile(join(folder, name));
    const { offset } = (await openWeights(goldenPath(weights))).tensors.get("sem_seg_head.predictor.classifier.bias")!;
    bytes.writeFloatLE(bytes.readFloatLE(offset) + 1, offset);
    await writeFile(join(copy, name), bytes);
    const damaged = { ...bundle, folder: copy };
    const golden = await verifyBundle(damaged, goldenPath("small.golden.safetensors"), runInProcess);
    expect(golden.maxAbsDiff.existence_logits).toBeCloseTo(1, 4);
    expect((await verifyOwnSample(damaged, runInProcess)).maxAbsDiff.existence_logits).toBeCloseTo(1, 4);
    await rm(copy, { recursive: true });
  });

  test("the weights are linked where they can be, and the graphs hold none of them", async () => {
    const twin = join(folder, "twin");
    await placeWeights(join(folder, manifest.files.weights[0]!.name), twin, {
      onCopy: () => {
        throw new Error("copied");
      },
    });
    expect((await stat(twin)).nlink).toBeGreaterThan(1);
    const { textEncoder, imageModel: graph, weights: files } = manifest.files;
    expect(textEncoder.bytes + graph.bytes).toBeLessThan(files[0]!.bytes / 10);
  });
});

async function smallConfig(): Promise<unknown> {
  return JSON.parse(await readFile(goldenPath("small.json"), "utf8")).config;
}

/** The model with its inner values as outputs, in upstream's order of axes; mask features at full size are made for it. */
function withProbes(model: OnnxModel, graph: Graph): OnnxModel {
  const maps = [32, 16, 8, 4].map((side, n) => ({ name: `backbone.res${n + 2}`, side, channels: 24 * 2 ** n }));
  for (const { name, side, channels } of maps) {
    const last = graph.op("Reshape", [name, graph.ints(-1, side, side, channels)]);
    graph.name(`probe.${name}`, graph.op("Transpose", [last], { perm: { ints: [0, 3, 1, 2] } }));
  }
  const prefix = "sem_seg_head.pixel_decoder.mask_features";
  const inputs = ["finest", graph.weight(`${prefix}.weight`), graph.weight(`${prefix}.bias`)];
  graph.name("probe.mask_features", graph.op("Conv", inputs, { pads: { ints: [1, 1, 1, 1] } }));
  const probes = graph.model("probes", [], []);
  const rename = (value: string) => (/^(Reshape|Transpose|Conv)_\d+$/.test(value) ? `of_probe_${value}` : value);
  const nodes = probes.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
  }));
  const known = new Set(model.initializers.map(({ name }) => name));
  const outputs = [
    ...maps.map(({ name, side, channels }) => ({ name: `probe.${name}`, dims: ["S", channels, side, side] })),
    { name: "probe.mask_features", dims: ["S", 64, 32, 32] },
    ...[4, 8, 16].map((side, n) => ({ name: `scale${n}`, dims: ["S", 64, side, side] })),
    ...[4, 8, 16].map((side, n) => ({ name: `mask_features${n}`, dims: ["S", 64, side * side] })),
  ];
  return {
    ...model,
    nodes: [...model.nodes, ...nodes],
    initializers: [...model.initializers, ...probes.initializers.filter(({ name }) => !known.has(name))],
    outputs: [...model.outputs, ...outputs.map((output) => ({ ...output, dtype: "float32" as const }))],
  };
}

/** Bilinear with half-pixel centres from `from` to `to` pixels a side, an even number of times smaller. */
function resizedByMeans(planes: Float32Array, count: number, from: number, to: number): Float32Array {
  const step = from / to;
  return Float32Array.from({ length: count * to * to }, (_, n) => {
    const plane = Math.floor(n / (to * to)) * from * from;
    const row = (Math.floor(n / to) % to) * step + step / 2 - 1;
    const column = (n % to) * step + step / 2 - 1;
    const at = plane + row * from + column;
    return (planes[at]! + planes[at + 1]! + planes[at + from]! + planes[at + from + 1]!) / 4;
  });
}
