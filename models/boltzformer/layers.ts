import type { Graph, Value } from "./graph.ts";
import { NORM_GROUPS } from "./network-weights.ts";

/**
 * The vocabulary that the network is written in. `rows` are [N, C]: tokens of all slices one below the other; `tokens` are
 * [B, T, C]; `map` is [S, C, n, n].
 */

const EPSILON = 1e-5;

export function add(graph: Graph, a: Value, b: Value): Value {
  return graph.op("Add", [a, b]);
}

/** y = x W^T + b over rows; `scale` multiplies the product. */
export function linear(graph: Graph, rows: Value, name: string, scale = 1): Value {
  return gemm(graph, rows, graph.weight(`${name}.weight`), graph.weight(`${name}.bias`), scale);
}

/** A 1 x 1 convolution, which is a linear layer over rows. */
export function pointwise(graph: Graph, rows: Value, name: string, options: { bias: boolean; scale?: number }): Value {
  const bias = options.bias ? graph.weight(`${name}.bias`) : "";
  return gemm(graph, rows, graph.pointwiseWeight(`${name}.weight`), bias, options.scale);
}

/** Those outputs of a linear layer that its weight's rows `from` to `to` make. */
export function linearPart(graph: Graph, rows: Value, weight: string, bias: string, from: number, to: number): Value {
  return gemm(graph, rows, graph.rows(weight, from, to), graph.rows(bias, from, to));
}

function gemm(graph: Graph, rows: Value, weight: Value, bias: Value, scale = 1): Value {
  return graph.op("Gemm", [rows, weight, ...(bias === "" ? [] : [bias])], {
    transB: { int: 1 },
    alpha: { float: scale },
  });
}

/** LayerNorm over the last axis. */
export function layerNorm(graph: Graph, x: Value, name: string, epsilon = EPSILON): Value {
  return normalise(graph, x, graph.weight(`${name}.weight`), graph.weight(`${name}.bias`), epsilon);
}

/** gamma * LayerNorm(x), with gamma folded into the norm's own weight and bias. */
export function scaledLayerNorm(graph: Graph, x: Value, name: string, gamma: string): Value {
  const scaled = (part: "weight" | "bias") => graph.op("Mul", [graph.weight(gamma), graph.weight(`${name}.${part}`)]);
  return normalise(graph, x, scaled("weight"), scaled("bias"), EPSILON);
}

function normalise(graph: Graph, x: Value, weight: Value, bias: Value, epsilon: number): Value {
  return graph.op("LayerNormalization", [x, weight, bias], { axis: { int: -1 }, epsilon: { float: epsilon } });
}

/** GroupNorm of a map of `channels` on a grid of `side` squared. */
export function groupNorm(graph: Graph, map: Value, name: string, channels: number, side: number): Value {
  const ones = graph.constant("group_scale", [NORM_GROUPS], () => new Float32Array(NORM_GROUPS).fill(1));
  const zeros = graph.constant("group_shift", [NORM_GROUPS], () => new Float32Array(NORM_GROUPS));
  const grouped = graph.op("Reshape", [map, graph.ints(0, NORM_GROUPS, -1)]);
  const normalised = graph.op("InstanceNormalization", [grouped, ones, zeros], { epsilon: { float: EPSILON } });
  const perChannel = (part: string) => graph.op("Unsqueeze", [graph.weight(`${name}.${part}`), graph.ints(1, 2)]);
  const back = graph.op("Reshape", [normalised, graph.ints(-1, channels, side, side)]);
  return add(graph, graph.op("Mul", [back, perChannel("weight")]), perChannel("bias"));
}

export interface ConvolutionOptions {
  readonly side: number;
  readonly stride?: number;
  readonly padding: number;
  readonly bias: boolean;
  /** Channels, where each is convolved by itself. */
  readonly depthwise?: number;
}

export function convolution(graph: Graph, map: Value, name: string, options: ConvolutionOptions): Value {
  const { side, stride = 1, padding, bias, depthwise = 1 } = options;
  return graph.op("Conv", [map, graph.weight(`${name}.weight`), ...(bias ? [graph.weight(`${name}.bias`)] : [])], {
    kernel_shape: { ints: [side, side] },
    strides: { ints: [stride, stride] },
    pads: { ints: [padding, padding, padding, padding] },
    group: { int: depthwise },
  });
}

/** [S, C, n, n] -> [S * n * n, C] */
export function mapToRows(graph: Graph, map: Value, channels: number): Value {
  return graph.op("Reshape", [channelsLast(graph, map), graph.ints(-1, channels)]);
}

/** [S, C, n, n] -> [S, n * n, C] */
export function mapToTokens(graph: Graph, map: Value, channels: number, side: number): Value {
  return graph.op("Reshape", [channelsLast(graph, map), graph.ints(-1, side * side, channels)]);
}

function channelsLast(graph: Graph, map: Value): Value {
  return graph.op("Transpose", [map], { perm: { ints: [0, 2, 3, 1] } });
}

/** [S * n * n, C] -> [S, C, n, n] */
export function rowsToMap(graph: Graph, rows: Value, channels: number, side: number): Value {
  const last = graph.op("Reshape", [rows, graph.ints(-1, side, side, channels)]);
  return graph.op("Transpose", [last], { perm: { ints: [0, 3, 1, 2] } });
}

/** [B, T, C] -> [B * T, C] */
export function tokensToRows(graph: Graph, tokens: Value, channels: number): Value {
  return graph.op("Reshape", [tokens, graph.ints(-1, channels)]);
}

/** [B * T, C] -> [B, T, C], of the same B and T as `like`. */
export function rowsToTokens(graph: Graph, rows: Value, like: Value, channels: number): Value {
  const lengths = graph.op("Shape", [like], { start: { int: 0 }, end: { int: 2 } });
  return graph.op("Reshape", [rows, graph.op("Concat", [lengths, graph.ints(channels)], { axis: { int: 0 } })]);
}

export function gelu(graph: Graph, x: Value): Value {
  return graph.op("Gelu", [x], { approximate: { string: "none" } });
}

export function relu(graph: Graph, x: Value): Value {
  return graph.op("Relu", [x]);
}

/** x + linear2(ReLU(linear1 x)), over rows. */
export function feedForward(graph: Graph, rows: Value, name: string): Value {
  return add(graph, rows, perceptron(graph, rows, [`${name}.linear1`, `${name}.linear2`], { activate: relu }));
}

export interface PerceptronOptions {
  /** Of which 0 is 0. */
  readonly activate: (graph: Graph, x: Value) => Value;
  /** Parts that the rows are taken in, one after the other; default 1. */
  readonly parts?: number;
}

/**
 * second(activate(first x)), over rows. What lies between is the widest there is, so it pays to keep it near the core:
 *
 * - in parts of the rows whose hidden rows fit into its caches;
 * - with a little more room for a row whose length is a multiple of a memory page. Such rows all lie in the same few sets of a
 *   cache, where a product that reads several of them at once drives them out again. Zeros that weigh nothing fill the room.
 */
export function perceptron(
  graph: Graph,
  rows: Value,
  [first, second]: readonly [string, string],
  { activate, parts = 1 }: PerceptronOptions,
): Value {
  const [hidden = 1, channels = 1] = graph.shapeOf(`${first}.weight`);
  const [outputs = 1] = graph.shapeOf(`${second}.bias`);
  const room = hidden % PAGE_FLOATS === 0 ? LINE_FLOATS : 0;
  const roomy = (name: string, axis: 0 | 1, ...dims: readonly number[]) => {
    if (room === 0) return graph.weight(name);
    const size = dims.reduce((product, length) => product * length, 1);
    const zeros = graph.constant(`zeros_${dims.join("_")}`, dims, () => new Float32Array(size));
    return graph.op("Concat", [graph.weight(name), zeros], { axis: { int: axis } });
  };
  const into = [roomy(`${first}.weight`, 0, room, channels), roomy(`${first}.bias`, 0, room)] as const;
  const from = [roomy(`${second}.weight`, 1, outputs, room), graph.weight(`${second}.bias`)] as const;
  const through = (some: Value) => gemm(graph, activate(graph, gemm(graph, some, ...into)), ...from);
  if (parts === 1) return through(rows);
  return graph.op("Concat", graph.split(rows, parts).map(through), { axis: { int: 0 } });
}

const PAGE_FLOATS = 4096 / 4;
const LINE_FLOATS = 64 / 4;
