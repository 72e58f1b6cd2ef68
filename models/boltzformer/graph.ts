import type { Attribute, OnnxModel, OnnxNode, ValueInfo } from "../onnx/model.ts";
import { float32, int64, type OnnxTensor } from "../onnx/tensor.ts";
import type { NetworkWeights } from "./network-weights.ts";

/** Name of a value in the graph: a constant, an input or what a node makes. */
export type Value = string;

type Attributes = Readonly<Record<string, Attribute>>;

export const OPSET = 20;

/** Weights that nodes can use: what they are, and the file beside the graph that holds them. */
export interface GraphWeights extends NetworkWeights {
  readonly file: string;
}

/** An ONNX graph under construction, whose weights stay in their own file. */
export class Graph {
  readonly weights: GraphWeights;
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers = new Map<string, OnnxTensor>();

  constructor(weights: GraphWeights) {
    this.weights = weights;
  }

  /** Adds a node with one output. An empty input is an optional one left out. */
  op(op: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    const output = `${op}_${this.#nodes.length}`;
    this.#nodes.push({ op, inputs, outputs: [output], attributes });
    return output;
  }

  /** `count` parts along the first axis, of equal length but for the last, which may be shorter. */
  split(value: Value, count: number): readonly Value[] {
    const outputs = Array.from({ length: count }, (_, n) => `Split_${this.#nodes.length}_${n}`);
    this.#nodes.push({ op: "Split", inputs: [value], outputs, attributes: { num_outputs: { int: count } } });
    return outputs;
  }

  /** Gives a value a name of its own: that of an output of the graph, or one to look for in it. */
  name(name: string, value: Value): Value {
    this.#nodes.push({ op: "Identity", inputs: [value], outputs: [name] });
    return name;
  }

  /** A list of whole numbers: a shape, axes, where to cut. */
  ints(...values: readonly number[]): Value {
    return this.#constant(int64(`ints_${values.join("_")}`, [values.length], values));
  }

  scalar(value: number): Value {
    return this.#constant(float32(`scalar_${value}`, [], [value]));
  }

  /** A constant that the graph itself holds. The same name is the same constant. */
  constant(name: string, dims: readonly number[], values: () => Float32Array): Value {
    if (!this.#initializers.has(name)) this.#constant(float32Of(name, dims, values()));
    return name;
  }

  /** A tensor of the weights file; of rank 4 always as [out, in, rows, columns]. */
  weight(name: string): Value {
    const { shape } = this.#stored(name);
    const value = this.#external(name, name, shape, 0);
    if (shape.length !== 4 || this.weights.layout === "channels-first") return value;
    return this.op("Transpose", [value], { perm: { ints: [0, 3, 1, 2] } });
  }

  /** A convolution's weight as [out, rows, columns, in]. */
  channelsLastWeight(name: string): Value {
    const value = this.#external(name, name, this.#stored(name).shape, 0);
    if (this.weights.layout === "channels-last") return value;
    return this.op("Transpose", [value], { perm: { ints: [0, 2, 3, 1] } });
  }

  /** The weight of a 1 x 1 convolution as the matrix [out, in] that it is, in either layout. */
  pointwiseWeight(name: string): Value {
    const shape = this.#stored(name).shape.filter((length, axis) => axis === 0 || length !== 1);
    return this.#external(name, `${name}[:, :]`, shape, 0);
  }

  /** Of a tensor of the weights file, as it is stored. */
  shapeOf(name: string): readonly number[] {
    return this.#stored(name).shape;
  }

  /** Rows `from` up to, not including, `to` of a tensor. */
  rows(name: string, from: number, to: number): Value {
    const [, ...rest] = this.#stored(name).shape;
    const rowValues = rest.reduce((product, length) => product * length, 1);
    return this.#external(name, `${name}[${from}:${to}]`, [to - from, ...rest], from * rowValues);
  }

  model(name: string, inputs: readonly ValueInfo[], outputs: readonly ValueInfo[]): OnnxModel {
    return { name, opset: OPSET, inputs, outputs, nodes: this.#nodes, initializers: [...this.#initializers.values()] };
  }

  #stored(name: string) {
    const tensor = this.weights.tensors.get(name);
    if (tensor === undefined) throw new RangeError(`the network has no tensor "${name}"`);
    return tensor;
  }

  #external(name: string, as: string, dims: readonly number[], skippedValues: number): Value {
    const { offset } = this.#stored(name);
    const length = dims.reduce((product, count) => product * count, FLOAT32_BYTES);
    const data = { location: this.weights.file, offset: offset + skippedValues * FLOAT32_BYTES, length };
    return this.#constant({ name: as, dtype: "float32", dims, data });
  }

  #constant(tensor: OnnxTensor): Value {
    if (!this.#initializers.has(tensor.name)) this.#initializers.set(tensor.name, tensor);
    return tensor.name;
  }
}

const FLOAT32_BYTES = 4;

function float32Of(name: string, dims: readonly number[], values: Float32Array): OnnxTensor {
  return { name, dtype: "float32", dims, data: values };
}
