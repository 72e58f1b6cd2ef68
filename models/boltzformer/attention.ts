import type { Graph, Value } from "./graph.ts";
import { add, linear, linearPart, rowsToTokens, tokensToRows } from "./layers.ts";

export interface AttentionShape {
  readonly channels: number;
  readonly heads: number;
}

export interface AttentionInputs {
  /** [B, Tq, C] */
  readonly query: Value;
  /** [B, Tk, C] */
  readonly key: Value;
  /** [B, Tk, C] */
  readonly value: Value;
  /** What is done to the scores [B, heads, Tq, Tk] before their softmax. */
  readonly mask?: (scores: Value) => Value;
}

/** Keys and values as heads see them. */
export interface ProjectedAttention {
  /** [B, Tq, C] */
  readonly query: Value;
  /** [B, heads, C / heads, Tk] */
  readonly keys: Value;
  /** [B, heads, Tk, C / heads] */
  readonly values: Value;
  readonly mask?: (scores: Value) => Value;
}

/** Multi-head attention with packed projections (PyTorch's MultiheadAttention); scores are scaled by d^-0.5. */
export function attention(graph: Graph, name: string, shape: AttentionShape, inputs: AttentionInputs): Value {
  const { query, key, value, mask } = inputs;
  const keys = attentionKeys(graph, name, shape, key);
  const values = attentionValues(graph, name, shape, value);
  return attentionTo(graph, name, shape, { query, keys, values, ...(mask && { mask }) });
}

/** What an attention makes of the tokens [B, Tk, C] that it looks for: [B, heads, C / heads, Tk]. */
export function attentionKeys(graph: Graph, name: string, shape: AttentionShape, tokens: Value): Value {
  return project(graph, name, shape, tokens, 1, [0, 2, 3, 1]);
}

/** What an attention takes from the tokens [B, Tk, C]: [B, heads, Tk, C / heads]. */
export function attentionValues(graph: Graph, name: string, shape: AttentionShape, tokens: Value): Value {
  return project(graph, name, shape, tokens, 2, [0, 2, 1, 3]);
}

/** The same attention where keys and values were made already, elsewhere. */
export function attentionTo(graph: Graph, name: string, shape: AttentionShape, inputs: ProjectedAttention): Value {
  const { query, keys, values, mask = (scores) => scores } = inputs;
  const { channels, heads } = shape;
  const scale = graph.scalar(Math.fround((channels / heads) ** -0.5));
  const queries = graph.op("Mul", [project(graph, name, shape, query, 0, [0, 2, 1, 3]), scale]);
  const weights = graph.op("Softmax", [mask(graph.op("MatMul", [queries, keys]))], { axis: { int: -1 } });
  const mixed = graph.op("Transpose", [graph.op("MatMul", [weights, values])], { perm: { ints: [0, 2, 1, 3] } });
  const rows = linear(graph, tokensToRows(graph, mixed, channels), `${name}.out_proj`);
  return rowsToTokens(graph, rows, query, channels);
}

/** `x` and what it attends to: the residual around an attention. */
export function attend(graph: Graph, x: Value, name: string, shape: AttentionShape, inputs: AttentionInputs): Value {
  return add(graph, x, attention(graph, name, shape, inputs));
}

/** Part 0, 1 or 2 (query, key, value) of the packed projection, by heads. */
function project(
  graph: Graph,
  name: string,
  { channels, heads }: AttentionShape,
  tokens: Value,
  part: 0 | 1 | 2,
  perm: readonly number[],
): Value {
  const from = part * channels;
  const rows = tokensToRows(graph, tokens, channels);
  const projected = linearPart(graph, rows, `${name}.in_proj_weight`, `${name}.in_proj_bias`, from, from + channels);
  const split = graph.op("Reshape", [
    rowsToTokens(graph, projected, tokens, channels),
    graph.ints(0, 0, heads, channels / heads),
  ]);
  return graph.op("Transpose", [split], { perm: { ints: perm } });
}
