import type { OnnxModel, OnnxNode } from "../onnx/model.ts";
import { dataType, type OnnxTensor } from "../onnx/tensor.ts";
import { type HalfWeights, halvesOf } from "./half-weights.ts";

/** What is computed in float32 whatever it is fed with: sums over many numbers, and powers of what is next to 1. */
const FULL = new Set([
  "Softmax",
  "Sigmoid",
  "Pow",
  "LayerNormalization",
  "InstanceNormalization",
  "GlobalAveragePool",
  "ReduceMean",
]);

/** What stays in float32 where all that it is fed with was computed there: residuals, and all of the Boltzmann sampling. */
const FOLLOWING = new Set([
  ...["Add", "Sub", "Mul", "Div", "Less", "Where", "ReduceMax", "Identity"],
  ...["Reshape", "Transpose", "Squeeze", "Unsqueeze", "Concat", "Slice", "Expand"],
]);

const TURNING = new Set(["Reshape", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Expand", "Concat"]);

/** Inputs that an operator wants in float32 in any case. */
const ALWAYS_FLOAT: Readonly<Record<string, readonly number[]>> = { Resize: [1, 2] };

type Precision = "half" | "float";
/** Of a value: how it was computed; `constant`: either way; `other`: no floating-point number. */
type Kind = Precision | "constant" | "other";

/**
 * The same graph with convolutions and matrix products in float16, as a GPU is fast at. Softmax, norms, the powers of the
 * sampling and what is added up stay in float32; so do the graph's inputs and outputs. Where a value is used in both ways a
 * Cast stands between. Weights that are used in float16 point into a file of their own, which `weights` lays out.
 */
export function halfPrecision(model: OnnxModel, weights: HalfWeights): OnnxModel {
  const kinds = new Map<string, Kind>();
  const constants = new Map(model.initializers.map((tensor) => [tensor.name, tensor]));
  const initializers = new Map<string, OnnxTensor>();
  const nodes: OnnxNode[] = [];
  for (const { name, dtype } of model.inputs) kinds.set(name, dtype === "float32" ? "float" : "other");
  for (const { name, dtype } of model.initializers) kinds.set(name, dtype === "float32" ? "constant" : "other");
  const outputs = new Set(model.outputs.filter(({ dtype }) => dtype === "float32").map(({ name }) => name));

  /** A value in the precision that is wanted. */
  function as(value: string, wanted: Precision): string {
    const kind = kinds.get(value);
    if (kind === "constant") return constantAs(constants.get(value)!, wanted);
    if (kind === undefined || kind === "other") {
      const constant = constants.get(value);
      if (constant) initializers.set(value, constant);
      return value;
    }
    if (kind === wanted) return value;
    const cast = `${value}.${wanted}`;
    if (!kinds.has(cast)) {
      const to = dataType(wanted === "half" ? "float16" : "float32");
      nodes.push({ op: "Cast", inputs: [value], outputs: [cast], attributes: { to: { int: to } } });
      kinds.set(cast, wanted);
    }
    return cast;
  }

  function constantAs(tensor: OnnxTensor, wanted: Precision): string {
    const name = wanted === "half" ? `${tensor.name}.half` : tensor.name;
    if (initializers.has(name)) return name;
    const { data } = tensor;
    const isHere = ArrayBuffer.isView(data);
    if (wanted === "float") initializers.set(name, isHere ? tensor : { ...tensor, data: weights.place(data, "float") });
    else {
      const half = isHere ? halvesOf(data as Float32Array) : weights.place(data, "half");
      initializers.set(name, { ...tensor, name, dtype: "float16", data: half });
    }
    return name;
  }

  function precisionOf({ op, inputs, outputs: made }: OnnxNode): Precision {
    if (FULL.has(op) || made.some((name) => outputs.has(name))) return "float";
    const computed = inputs.map((name) => kinds.get(name)).filter((kind) => kind === "half" || kind === "float");
    if (!FOLLOWING.has(op) || computed.includes("half")) return "half";
    // Weights that are only turned round are for a product; what is made of constants otherwise is for a norm, or a limit.
    return computed.length > 0 || !TURNING.has(op) ? "float" : "half";
  }

  for (const node of model.nodes) {
    const { op, inputs, outputs: made } = node;
    const isNumeric = inputs.some((name) => ["half", "float", "constant"].includes(kinds.get(name) ?? ""));
    const precision = precisionOf(node);
    const inOwn = (name: string, n: number) => as(name, ALWAYS_FLOAT[op]?.includes(n) ? "float" : precision);
    const asIs = (name: string) => as(name, kinds.get(name) === "half" ? "half" : "float");
    const given = op === "Shape" ? inputs.map(asIs) : inputs.map(inOwn);
    nodes.push({ ...node, inputs: given });
    for (const name of made) kinds.set(name, !isNumeric || op === "Shape" || op === "Less" ? "other" : precision);
  }
  return { ...model, nodes, initializers: [...initializers.values()] };
}
