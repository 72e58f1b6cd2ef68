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

/** Multi-head attention with packed projections (PyTorch's MultiheadAttention); scores are scaled by d^-0.5. */
export function attention(graph: Graph, name: string, shape: AttentionShape, inputs: AttentionInputs): Value {
  const { query, key, value, mask = (scores) => scores } = inputs;
  const { channels, heads } = shape;
  const perHead = channels / heads;
  const project = (tokens: Value, part: 0 | 1 | 2, perm: readonly number[]) => {
    const rows = tokensToRows(graph, tokens, channels);
    const from = part * channels;
    const projected = linearPart(graph, rows, `${name}.in_proj_weight`, `${name}.in_proj_bias`, from, from + channels);
    const split = graph.op("Reshape", [
      rowsToTokens(graph, projected, tokens, channels),
      graph.ints(0, 0, heads, perHead),
    ]);
    return graph.op("Transpose", [split], { perm: { ints: perm } });
  };
  const q = graph.op("Mul", [project(query, 0, [0, 2, 1, 3]), graph.scalar(Math.fround(perHead ** -0.5))]);
  const k = project(key, 1, [0, 2, 3, 1]);
  const v = project(value, 2, [0, 2, 1, 3]);
  const weights = graph.op("Softmax", [mask(graph.op("MatMul", [q, k]))], { axis: { int: -1 } });
  const mixed = graph.op("Transpose", [graph.op("MatMul", [weights, v])], { perm: { ints: [0, 2, 1, 3] } });
  const rows = linear(graph, tokensToRows(graph, mixed, channels), `${name}.out_proj`);
  return rowsToTokens(graph, rows, query, channels);
}

/** `x` and what it attends to: the residual around an attention. */
export function attend(graph: Graph, x: Value, name: string, shape: AttentionShape, inputs: AttentionInputs): Value {
  return add(graph, x, attention(graph, name, shape, inputs));
}
