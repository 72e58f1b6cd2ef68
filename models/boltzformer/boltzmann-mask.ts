import type { Graph, Value } from "./graph.ts";

export interface BoltzmannMask {
  /** Uniform numbers [1, heads, 1, queries, tokens], the same for every slice and prompt. */
  readonly noise: Value;
  readonly layer: number;
  /** Of the layer's grid. */
  readonly tokens: number;
  /** Mask logits of the queries so far, [S, P * Q, tokens]. */
  readonly logits: Value;
  /** S as a shape of one dimension. */
  readonly slices: Value;
}

/**
 * Blocks tokens in attention scores [S, heads, P * Q, tokens] by Boltzmann sampling: of n draws among the tokens, with odds
 * that grow with a token's own probability, those that were never drawn are blocked. A query that would see nothing sees all.
 */
export function boltzmannMask(graph: Graph, scores: Value, mask: BoltzmannMask): Value {
  const { heads, queries, sampleRatio, baseTemperature } = graph.weights.config;
  const { noise, layer, tokens, logits, slices } = mask;
  const reshape = (x: Value, ...shape: readonly number[]) =>
    graph.op("Reshape", [x, graph.op("Concat", [slices, graph.ints(...shape)], { axis: { int: 0 } })]);
  const inverseTemperature = graph.scalar((layer + 1) / baseTemperature);
  const energy = graph.op("Mul", [graph.op("Sigmoid", [logits]), inverseTemperature]);
  const odds = graph.op("Softmax", [energy], { axis: { int: -1 } });
  const draws = graph.scalar(Math.floor(sampleRatio * tokens));
  const missed = graph.op("Pow", [graph.op("Sub", [graph.scalar(1), odds]), draws]);
  const margin = graph.op("Sub", [noise, reshape(missed, 1, -1, queries, tokens)]);
  const best = graph.op("ReduceMax", [margin, graph.ints(-1)]);
  const seesNothing = graph.op("Less", [best, graph.scalar(0)]);
  const limit = graph.op("Where", [seesNothing, graph.scalar(Number.NEGATIVE_INFINITY), graph.scalar(0)]);
  const blocked = reshape(graph.op("Less", [margin, limit]), heads, -1, tokens);
  return graph.op("Where", [blocked, graph.scalar(Number.NEGATIVE_INFINITY), scores]);
}
