import type { OnnxModel, OnnxNode } from "../onnx/model.ts";
import { dataType, float32, int64, type OnnxTensor } from "../onnx/tensor.ts";
import type { MeshNetLayer } from "./tfjs-layers.ts";

export const MESHNET_INPUT = { name: "volume", dtype: "float32" } as const;
export const MESHNET_OUTPUT = { name: "labels", dtype: "uint8" } as const;

type Convolution = Extract<MeshNetLayer, { kind: "convolution" }>;

/** Scores of so many classes are there at once: of 104 classes and a whole head they would take two gigabytes. */
const CLASSES_AT_ONCE = 16;
/** A network of more classes is compared in parts; one of 18 is quicker at once. */
const MOST_AT_ONCE = 32;

/**
 * volume [1, 1, nk, nj, ni] (i fastest) -> labels [1, nk, nj, ni]: the class of highest score in each voxel, the lower
 * one where two are equal.
 */
export function meshNetGraph(layers: readonly MeshNetLayer[]): OnnxModel {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  let current: string = MESHNET_INPUT.name;
  const convolve = (layer: Convolution, name: string, output: string) => {
    const { outChannels, inChannels, kernelSize: k, dilation } = layer;
    initializers.push(float32(`kernel_${name}`, [outChannels, inChannels, k, k, k], outputFirst(layer)));
    initializers.push(float32(`bias_${name}`, [outChannels], layer.bias));
    const pad = (dilation * (k - 1)) / 2;
    nodes.push({
      op: "Conv",
      inputs: [current, `kernel_${name}`, `bias_${name}`],
      outputs: [output],
      attributes: {
        kernel_shape: { ints: [k, k, k] },
        dilations: { ints: [dilation, dilation, dilation] },
        pads: { ints: [pad, pad, pad, pad, pad, pad] },
      },
    });
  };
  const last = layers.at(-1);
  const inParts = last?.kind === "convolution" && last.outChannels > MOST_AT_ONCE ? last : undefined;
  for (const [n, layer] of (inParts ? layers.slice(0, -1) : layers).entries()) {
    const output = `layer_${n}`;
    if (layer.kind === "activation") {
      nodes.push({ op: layer.name === "elu" ? "Elu" : "Relu", inputs: [current], outputs: [output] });
    } else convolve(layer, String(n), output);
    current = output;
  }
  if (inParts) bestInParts(inParts);
  else nodes.push(highest(current, "class"));
  nodes.push({
    op: "Cast",
    inputs: ["class"],
    outputs: [MESHNET_OUTPUT.name],
    attributes: { to: { int: dataType("uint8") } },
  });
  return {
    name: "MeshNet",
    opset: 20,
    inputs: [{ ...MESHNET_INPUT, dims: [1, 1, "nk", "nj", "ni"] }],
    outputs: [{ ...MESHNET_OUTPUT, dims: [1, "nk", "nj", "ni"] }],
    nodes,
    initializers,
  };

  /** The last layer some classes at a time: where one of a later part is higher than all before, it takes the voxel. */
  function bestInParts(layer: Convolution): void {
    initializers.push(int64("one", [1], [1]));
    let [best, label] = ["", ""];
    for (let first = 0; first < layer.outChannels; first += CLASSES_AT_ONCE) {
      const part = outputsOf(layer, first, Math.min(CLASSES_AT_ONCE, layer.outChannels - first));
      convolve(part, `from_${first}`, `scores_${first}`);
      // Its two outputs at once: of an ArgMax and a ReduceMax one may run much later, and scores would stay for it.
      nodes.push({
        op: "TopK",
        inputs: [`scores_${first}`, "one"],
        outputs: [`most_${first}`, `in_part_${first}`],
        attributes: { axis: { int: 1 } },
      });
      if (first === 0) {
        [best, label] = [`most_${first}`, `in_part_${first}`];
        continue;
      }
      initializers.push(int64(`first_${first}`, [], [first]));
      nodes.push(
        { op: "Add", inputs: [`in_part_${first}`, `first_${first}`], outputs: [`class_${first}`] },
        { op: "Greater", inputs: [`most_${first}`, best], outputs: [`is_${first}`] },
        { op: "Where", inputs: [`is_${first}`, `class_${first}`, label], outputs: [`label_${first}`] },
      );
      if (first + part.outChannels < layer.outChannels)
        nodes.push({ op: "Max", inputs: [`most_${first}`, best], outputs: [`best_${first}`] });
      [best, label] = [`best_${first}`, `label_${first}`];
    }
    nodes.push({ op: "Squeeze", inputs: [label, "one"], outputs: ["class"] });
  }
}

function highest(scores: string, output: string): OnnxNode {
  return { op: "ArgMax", inputs: [scores], outputs: [output], attributes: { axis: { int: 1 }, keepdims: { int: 0 } } };
}

/** Some outputs of a convolution, from `first` on. */
function outputsOf(layer: Convolution, first: number, count: number): Convolution {
  const { kernel, bias, outChannels } = layer;
  const rows = kernel.length / outChannels;
  const part = new Float32Array(rows * count);
  for (let row = 0; row < rows; row++) {
    part.set(kernel.subarray(row * outChannels + first, row * outChannels + first + count), row * count);
  }
  return { ...layer, outChannels: count, kernel: part, bias: bias.slice(first, first + count) };
}

/**
 * The kernel as [out][in][k][j][i]. Upstream transposes volumes before it runs, so the first spatial axis of its kernels
 * runs along i, and the last along k.
 */
function outputFirst({ kernel, kernelSize, inChannels, outChannels }: Convolution): Float32Array {
  const ordered = new Float32Array(kernel.length);
  let from = 0;
  for (let i = 0; i < kernelSize; i++)
    for (let j = 0; j < kernelSize; j++)
      for (let k = 0; k < kernelSize; k++)
        for (let c = 0; c < inChannels; c++)
          for (let o = 0; o < outChannels; o++)
            ordered[(((o * inChannels + c) * kernelSize + k) * kernelSize + j) * kernelSize + i] = kernel[from++]!;
  return ordered;
}
