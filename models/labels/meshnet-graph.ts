import type { OnnxModel, OnnxNode } from "../onnx/model.ts";
import { dataType, float32, type OnnxTensor } from "../onnx/tensor.ts";
import type { MeshNetLayer } from "./tfjs-layers.ts";

export const MESHNET_INPUT = { name: "volume", dtype: "float32" } as const;
export const MESHNET_OUTPUT = { name: "labels", dtype: "uint8" } as const;

type Convolution = Extract<MeshNetLayer, { kind: "convolution" }>;

/**
 * volume [1, 1, nk, nj, ni] (i fastest) -> labels [1, nk, nj, ni]: the class of highest score in each voxel, the lower
 * one where two are equal.
 */
export function meshNetGraph(layers: readonly MeshNetLayer[]): OnnxModel {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  let current: string = MESHNET_INPUT.name;
  for (const [n, layer] of layers.entries()) {
    const output = `layer_${n}`;
    if (layer.kind === "activation") {
      nodes.push({ op: layer.name === "elu" ? "Elu" : "Relu", inputs: [current], outputs: [output] });
    } else {
      const [kernel, bias] = [`kernel_${n}`, `bias_${n}`];
      const { outChannels, inChannels, kernelSize: k, dilation } = layer;
      initializers.push(float32(kernel, [outChannels, inChannels, k, k, k], outputFirst(layer)));
      initializers.push(float32(bias, [outChannels], layer.bias));
      const pad = (dilation * (k - 1)) / 2;
      nodes.push({
        op: "Conv",
        inputs: [current, kernel, bias],
        outputs: [output],
        attributes: {
          kernel_shape: { ints: [k, k, k] },
          dilations: { ints: [dilation, dilation, dilation] },
          pads: { ints: [pad, pad, pad, pad, pad, pad] },
        },
      });
    }
    current = output;
  }
  nodes.push(
    { op: "ArgMax", inputs: [current], outputs: ["class"], attributes: { axis: { int: 1 }, keepdims: { int: 0 } } },
    { op: "Cast", inputs: ["class"], outputs: [MESHNET_OUTPUT.name], attributes: { to: { int: dataType("uint8") } } },
  );
  return {
    name: "MeshNet",
    opset: 20,
    inputs: [{ ...MESHNET_INPUT, dims: [1, 1, "nk", "nj", "ni"] }],
    outputs: [{ ...MESHNET_OUTPUT, dims: [1, "nk", "nj", "ni"] }],
    nodes,
    initializers,
  };
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
