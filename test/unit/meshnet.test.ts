import { existsSync } from "node:fs";
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, truncate, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { convertMeshNet, LabelsManifest, labelTargets, ModelBundleError, openBundle } from "../../models/index.ts";
import { BRAINCHOP_LABELS } from "../../models/labels/brain-t1-classes.ts";
import { REGION_LABELS } from "../../models/labels/brain-t1-regions.ts";
import { TISSUE_LABELS } from "../../models/labels/brain-t1-tissues.ts";
import { weightsPath } from "../fixtures/shared-data.ts";

let root: string;
let from: string;
let to: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "meshnet-"));
  [from, to] = [join(root, "from"), join(root, "to")];
  await mkdir(from);
  await mkdir(to);
});
afterEach(() => rm(root, { recursive: true }));

interface Step {
  readonly kernelSize: number;
  readonly dilation: number;
  readonly channels: number;
  readonly activation?: "elu" | "relu";
}

const TINY: readonly Step[] = [
  { kernelSize: 3, dilation: 1, channels: 2, activation: "elu" },
  { kernelSize: 3, dilation: 2, channels: 3, activation: "relu" },
  { kernelSize: 1, dilation: 1, channels: 18 },
];

/** Numbers in [-1, 1) that look random and are always the same. */
function noise(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** Writes a layers model as the TensorFlow.js converter does. */
async function writeLayersModel(steps: readonly Step[]) {
  const layers: object[] = [{ class_name: "InputLayer", config: {}, name: "input", inbound_nodes: [] }];
  const weights: { name: string; shape: number[]; dtype: string }[] = [];
  let [previous, channels] = ["input", 1];
  const follow = (class_name: string, name: string, config: object) => {
    layers.push({ class_name, name, config: { name, ...config }, inbound_nodes: [[[previous, 0, 0, {}]]] });
    previous = name;
  };
  for (const [n, step] of steps.entries()) {
    const three = (value: number) => [value, value, value];
    follow("Conv3D", `conv_${n}`, {
      filters: step.channels,
      kernel_size: three(step.kernelSize),
      strides: three(1),
      dilation_rate: three(step.dilation),
      padding: "same",
      data_format: "channels_last",
      activation: "linear",
      use_bias: true,
    });
    weights.push(
      { name: `conv_${n}/kernel`, shape: [...three(step.kernelSize), channels, step.channels], dtype: "float32" },
      { name: `conv_${n}/bias`, shape: [step.channels], dtype: "float32" },
    );
    channels = step.channels;
    if (step.activation !== undefined) follow("Activation", `activation_${n}`, { activation: step.activation });
  }
  const model = {
    format: "layers-model",
    modelTopology: { model_config: { class_name: "Functional", config: { name: "model", layers } } },
    weightsManifest: [{ paths: ["model.bin"], weights }],
  };
  const values = noise(
    weights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    7,
  );
  await writeFile(join(from, "model.json"), JSON.stringify(model));
  await writeFile(join(from, "model.bin"), values);
  await writeFile(join(from, "colormap.json"), JSON.stringify({ labels: BRAINCHOP_LABELS }));
  return { model, values };
}

interface Weight {
  readonly shape: readonly number[];
}

/**
 * What TensorFlow.js computes, by its definition: channels last, "same" padding with zeros, on a volume whose first axis is
 * i and last is k (upstream transposes volumes before it runs). Returns the class of (i, j, k) at [(k * nj + j) * ni + i].
 */
function classesByDefinition(
  steps: readonly Step[],
  weights: readonly Weight[],
  values: Float32Array,
  voxels: Float32Array,
  [ni, nj, nk]: readonly [number, number, number],
): Uint8Array {
  let offset = 0;
  const take = ({ shape }: Weight) => {
    const count = shape.reduce((a, b) => a * b, 1);
    offset += count;
    return values.subarray(offset - count, offset);
  };
  const at = (i: number, j: number, k: number) => (i * nj + j) * nk + k;
  let channels = 1;
  let features = new Float64Array(ni * nj * nk);
  for (let k = 0; k < nk; k++)
    for (let j = 0; j < nj; j++) for (let i = 0; i < ni; i++) features[at(i, j, k)] = voxels[(k * nj + j) * ni + i]!;
  for (const [n, { kernelSize, dilation, channels: outs, activation }] of steps.entries()) {
    const [kernel, bias] = [take(weights[2 * n]!), take(weights[2 * n + 1]!)];
    const next = new Float64Array(ni * nj * nk * outs);
    const reach = (kernelSize - 1) / 2;
    for (let i = 0; i < ni; i++)
      for (let j = 0; j < nj; j++)
        for (let k = 0; k < nk; k++)
          for (let o = 0; o < outs; o++) {
            let sum = bias[o]!;
            for (let a = 0; a < kernelSize; a++)
              for (let b = 0; b < kernelSize; b++)
                for (let c = 0; c < kernelSize; c++) {
                  const [x, y, z] = [
                    i + (a - reach) * dilation,
                    j + (b - reach) * dilation,
                    k + (c - reach) * dilation,
                  ];
                  if (x < 0 || y < 0 || z < 0 || x >= ni || y >= nj || z >= nk) continue;
                  const tap = ((a * kernelSize + b) * kernelSize + c) * channels * outs;
                  for (let m = 0; m < channels; m++)
                    sum += features[at(x, y, z) * channels + m]! * kernel[tap + m * outs + o]!;
                }
            if (activation === "elu") sum = sum > 0 ? sum : Math.expm1(sum);
            if (activation === "relu") sum = Math.max(0, sum);
            next[at(i, j, k) * outs + o] = sum;
          }
    [features, channels] = [next, outs];
  }
  const classes = new Uint8Array(ni * nj * nk);
  for (let i = 0; i < ni; i++)
    for (let j = 0; j < nj; j++)
      for (let k = 0; k < nk; k++) {
        const scores = features.subarray(at(i, j, k) * channels, (at(i, j, k) + 1) * channels);
        classes[(k * nj + j) * ni + i] = scores.indexOf(Math.max(...scores));
      }
  return classes;
}

async function runGraph(voxels: Float32Array, [ni, nj, nk]: readonly [number, number, number]): Promise<Uint8Array> {
  const bundle = await openBundle(to);
  if (bundle.engine !== "labels") throw new TypeError("a converted MeshNet is a labels bundle");
  const { input, output } = bundle.manifest.graph;
  const session = await ort.InferenceSession.create(join(to, bundle.manifest.files.graph.name));
  const answer = await session.run({ [input.name]: new ort.Tensor("float32", voxels, [1, 1, nk, nj, ni]) });
  expect(answer[output.name]!.dims).toEqual([1, nk, nj, ni]);
  return answer[output.name]!.data as Uint8Array;
}

test("the graph computes what TensorFlow.js does, on a box of three different sides", async () => {
  const { model, values } = await writeLayersModel(TINY);
  await convertMeshNet(from, to);
  const size = [5, 6, 7] as const;
  const voxels = noise(5 * 6 * 7, 3);
  const expected = classesByDefinition(TINY, model.weightsManifest[0]!.weights, values, voxels, size);
  expect(new Set(expected).size).toBeGreaterThan(3);
  expect(await runGraph(voxels, size)).toEqual(expected);
});

test("the bundle says what it is, what it takes and whose it is", async () => {
  await writeLayersModel(TINY);
  await convertMeshNet(from, to);
  const { card, manifest } = await openBundle(to);
  expect(card).toMatchObject({
    name: "brain-t1",
    engine: "labels",
    trained: true,
    modalities: ["MR"],
    vocabulary: "closed",
    licence: "MIT",
  });
  const sided = new Map(card.targets.map((target) => [target.name, target.sided]));
  expect([sided.get("thalamus"), sided.get("brain stem")]).toEqual([true, undefined]);
  expect(manifest).toMatchObject({ conform: { orientation: "LIA", size: [256, 256, 256], spacingMm: [1, 1, 1] } });
  expect(manifest).toMatchObject({ attribution: expect.stringMatching(/brainchop/) });
  expect(await readFile(join(to, "LICENCE.txt"), "utf8")).toContain("Copyright (c) 2021 neuroneural/brainchop");
});

test("every label above background is a class with a code, and each side rule follows from the anatomy", async () => {
  await writeLayersModel(TINY);
  await convertMeshNet(from, to);
  const bundle = await openBundle(to);
  if (bundle.engine !== "labels") throw new TypeError("a converted MeshNet is a labels bundle");
  expect(bundle.manifest.classes.map(({ value }) => value)).toEqual(BRAINCHOP_LABELS.slice(1).map((_, n) => n + 1));
  const rules = new Map(labelTargets(bundle.manifest).map(({ name, sides }) => [name, sides.rule]));
  expect([rules.get("hippocampus"), rules.get("brain stem"), rules.get("brain")]).toEqual([
    "midsagittal",
    "none",
    "midsagittal",
  ]);
});

test.each([
  [3, "colormap3.json", TISSUE_LABELS],
  [104, "colormap.json", REGION_LABELS],
] as const)("a network of %i classes is another kind, with its own names", async (channels, colorMap, labels) => {
  const last = { kernelSize: 1, dilation: 1, channels };
  await writeLayersModel([...TINY.slice(0, 2), last]);
  await writeFile(join(from, colorMap), JSON.stringify({ labels }));
  await convertMeshNet(from, to);
  const bundle = await openBundle(to);
  if (bundle.engine !== "labels") throw new TypeError("a converted MeshNet is a labels bundle");
  expect(bundle.manifest.classes.map(({ value }) => value)).toEqual(labels.slice(1).map((_, n) => n + 1));
});

test("of 104 classes left and right are labels of their own, by upstream's names", async () => {
  const targets = new Map(
    labelTargets(LabelsManifest.parse(await regions())).map((target) => [target.name, target] as const),
  );
  const labelOf = (name: string) => REGION_LABELS.indexOf(name);
  for (const [name, left, right] of [
    ["precentral gyrus", "ctx-lh-precentral", "ctx-rh-precentral"],
    ["hippocampus", "Left-Hippocampus", "Right-Hippocampus"],
    ["inferior lateral ventricle", "Left-Inf-Lat-Vent", "Right-Inf-Lat-Vent"],
  ] as const)
    expect(targets.get(name)?.sides).toEqual({ rule: "labels", left: [labelOf(left)], right: [labelOf(right)] });
  expect(targets.get("brain stem")?.sides).toEqual({ rule: "none" });
  expect(targets.get("cerebral cortex")?.values).toHaveLength(68);
  expect(targets.get("corpus callosum")?.values).toHaveLength(5);
  const lobes = ["frontal", "parietal", "temporal", "occipital", "cingulate"].map((lobe) => `${lobe} cortex`);
  const ofLobes = [...lobes, "insula"].flatMap((name) => targets.get(name)!.values);
  expect(ofLobes.toSorted((a, b) => a - b)).toEqual(targets.get("cerebral cortex")?.values);
});

/** The manifest of a network of 104 classes. */
async function regions(): Promise<unknown> {
  await writeLayersModel([...TINY.slice(0, 2), { kernelSize: 1, dilation: 1, channels: 104 }]);
  await writeFile(join(from, "colormap.json"), JSON.stringify({ labels: REGION_LABELS }));
  await convertMeshNet(from, to);
  return JSON.parse(await readFile(join(to, "manifest.json"), "utf8"));
}

test("the same weights give the same bytes", async () => {
  await writeLayersModel(TINY);
  await convertMeshNet(from, to);
  const again = join(root, "again");
  await mkdir(again);
  await convertMeshNet(from, again);
  for (const name of ["manifest.json", "labels.onnx"])
    expect((await readFile(join(again, name))).equals(await readFile(join(to, name)))).toBe(true);
});

describe("refused by name:", () => {
  const refused = (file: string, words: RegExp) =>
    expect(convertMeshNet(from, to)).rejects.toSatisfy(
      (error) => error instanceof ModelBundleError && error.file === file && words.test(error.message),
    );

  /** Changes model.json as text, so that a change that finds nothing is noticed. */
  async function replace(find: string, by: string): Promise<void> {
    const text = await readFile(join(from, "model.json"), "utf8");
    expect(text).toContain(find);
    await writeFile(join(from, "model.json"), text.replace(find, by));
  }

  beforeEach(() => writeLayersModel(TINY));

  test.each(["model.json", "model.bin", "colormap.json"])("%s is missing", async (name) => {
    await unlink(join(from, name));
    await refused(name, /is not in the folder/);
  });

  test("weights cut short", async () => {
    await truncate(join(from, "model.bin"), 100);
    await refused("model.bin", /100 bytes long/);
  });

  test("weights with more than the model names", async () => {
    await appendFile(join(from, "model.bin"), "more");
    await refused("model.bin", /bytes long/);
  });

  test("weights declared beyond any MeshNet, before a byte is read", async () => {
    await replace('"shape":[3,3,3,2,3]', '"shape":[4096,4096,4096,4096,4096]');
    await refused("model.json", /more than any MeshNet has/);
  });

  test.each([
    ["a size that is no number", '"shape":[3,3,3,2,3]', '"shape":[3,3,3,2,-3]'],
    ["a fraction", '"shape":[3,3,3,2,3]', '"shape":[3,3,3,2.5,3]'],
    ["shapes that do not fit the layer", '"filters":3', '"filters":4'],
    ["another dtype", '"dtype":"float32"', '"dtype":"uint8"'],
    ["a file outside the folder", '"paths":["model.bin"]', '"paths":["../model.bin"]'],
    ["an operator that no MeshNet has", '"class_name":"Activation"', '"class_name":"Lambda"'],
    ["an unknown activation", '"activation":"elu"', '"activation":"softmax"'],
    ["strides", '"strides":[1,1,1]', '"strides":[2,2,2]'],
    ["a kernel of even size", '"kernel_size":[3,3,3]', '"kernel_size":[2,2,2]'],
    ["dilations that differ by axis", '"dilation_rate":[2,2,2]', '"dilation_rate":[2,2,1]'],
    ["a layer fed by another than the one before", '[["conv_0",0,0,{}]]', '[["input",0,0,{}]]'],
    ["another number of classes", '"filters":18', '"filters":17'],
    ["no layers", '"layers":[', '"layer":['],
  ])("a model with %s", async (_, find, by) => {
    await replace(find, by);
    await refused("model.json", /./);
  });

  test("a model that is not JSON", async () => {
    await writeFile(join(from, "model.json"), "{");
    await refused("model.json", /not JSON/);
  });

  test("other classes", async () => {
    await writeFile(join(from, "colormap.json"), JSON.stringify({ labels: BRAINCHOP_LABELS.toReversed() }));
    await refused("colormap.json", /other classes/);
  });
});

describe.skipIf(!existsSync(weightsPath("brainchop", "model30chan18cls")))("brainchop's own weights", () => {
  const DOWN_AND_UP = [1, 2, 4, 8, 16, 8, 4, 2, 1];
  test.each([
    ["model30chan18cls", "model.bin", "colormap.json", "elu", DOWN_AND_UP],
    ["model18cls", "model.bin", "colormap.json", "elu", DOWN_AND_UP],
    ["model5_gw_ae", "group1-shard1of1.bin", "colormap3.json", "relu", DOWN_AND_UP],
    ["model21_104class", "group1-shard1of1.bin", "colormap.json", "relu", [1, 2, 2, 4, 4, 8, 8, 16]],
  ] as const)("%s: the graph computes what TensorFlow.js does", async (name, file, colorMap, activation, dilations) => {
    for (const one of ["model.json", colorMap]) await cp(weightsPath("brainchop", name, one), join(from, one));
    const model = JSON.parse(await readFile(join(from, "model.json"), "utf8"));
    const weights: Weight[] = model.weightsManifest[0].weights;
    const bytes = await readFile(weightsPath("brainchop", name, file));
    const values = new Float32Array(new Uint8Array(bytes).buffer);
    const classes = weights.at(-1)!.shape[0]!;
    // On a box this small all would be background: its bias, the first of the last values, makes it impossible.
    values[values.length - classes] = -1e6;
    await writeFile(join(from, file), values);
    await convertMeshNet(from, to);
    const channels = weights[0]!.shape[4]!;
    const steps = [
      ...dilations.map((dilation) => ({ kernelSize: 3, dilation, channels, activation })),
      { kernelSize: 1, dilation: 1, channels: classes },
    ];
    const size = [7, 6, 5] as const;
    const voxels = noise(7 * 6 * 5, 11).map((value) => (value + 1) / 2);
    const expected = classesByDefinition(steps, weights, values, voxels, size);
    expect(new Set(expected).size).toBeGreaterThan(1);
    expect(await runGraph(voxels, size)).toEqual(expected);
  });
});
