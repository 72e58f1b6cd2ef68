import { attention, attentionTo } from "./attention.ts";
import { boltzmannMask } from "./boltzmann-mask.ts";
import type { Graph, Value } from "./graph.ts";
import { type ImageFeatures, levelOf, lookName } from "./image-features.ts";
import { add, feedForward, layerNorm, linear, relu, rowsToTokens, tokensToRows } from "./layers.ts";
import { maskLogits } from "./mask-features.ts";
import { PREDICTOR } from "./network-tensors.ts";

export interface DecoderInputs {
  readonly features: ImageFeatures;
  /** [L, P, C] */
  readonly text: Value;
  /** S and P, each as a shape of one dimension. */
  readonly slices: Value;
  readonly prompts: Value;
  /** Uniform numbers for a layer's sampling, [1, heads, 1, queries, tokens]. */
  readonly noise: (layer: number) => Value;
}

export interface DecoderOutputs {
  /** [S, P, side, side] */
  readonly masks: Value;
  /** [S, P, side, side] */
  readonly edges: Value;
  /** [S, P] */
  readonly existence: Value;
}

/**
 * The BoltzFormer decoder, for every slice and prompt: queries look at the image's maps in turn, each at a Boltzmann sample
 * of the tokens that its own mask makes likely, and at the words. What a slice gives (maps, keys, values) is computed once
 * for all of its prompts: their queries lie side by side.
 */
export function decoder(graph: Graph, inputs: DecoderInputs): DecoderOutputs {
  const { slices, prompts, noise, features } = inputs;
  const { hiddenDim: channels, heads, decoderLayers, queries } = graph.weights.config;
  const shape = { channels, heads };
  const concat = (...values: readonly Value[]) => graph.op("Concat", values, { axis: { int: 0 } });
  const reshape = (x: Value, ...dims: readonly Value[]) => graph.op("Reshape", [x, concat(...dims)]);
  const pairs = graph.op("Mul", [slices, prompts]);
  const forEachPair = (name: string) =>
    graph.op("Expand", [graph.weight(`${PREDICTOR}.${name}.weight`), concat(pairs, graph.ints(1, 1))]);

  const words = textForEachPair(graph, inputs, concat);
  const queryPosition = graph.weight(`${PREDICTOR}.query_embed_.weight`);
  const position = graph.op("Concat", [forEachPair("query_embed_"), words], { axis: { int: 1 } });
  const cut = (x: Value, from: number, to: number) =>
    graph.op("Slice", [x, graph.ints(from), graph.ints(to), graph.ints(1)]);

  let query = forEachPair("query_feat_");
  let text = words;
  let token = forEachPair("classifier_query");
  let together = talk("initial_self_attention_layer");
  query = think(cut(together, 0, queries), "initial_ffn_layer");
  for (let layer = 0; layer < decoderLayers; layer++) {
    text = cut(together, queries, TO_THE_END);
    query = look(layer);
    together = talk(`transformer_self_attention_layers.${layer}`);
    query = think(cut(together, 0, queries), `transformer_ffn_layers.${layer}`);
    token = think(judge(`classifier_cross_attention_layers.${layer}`), `classifier_ffn_layers.${layer}`);
  }
  const existence = linear(graph, tokensToRows(graph, token, channels), `${PREDICTOR}.classifier`);
  return { ...masksAndEdges(), existence: reshape(existence, slices, prompts) };

  /** Cross-attention of the queries to a level of the image, behind their own masks. */
  function look(layer: number): Value {
    const name = `${PREDICTOR}.transformer_cross_attention_layers.${layer}`;
    const { level, side } = levelOf(layer, graph.weights.config);
    const logits = graph.op("MatMul", [sideBySide(maskVectors(graph, query)), features.coarse(level)]);
    const sampling = { noise: noise(layer), layer, tokens: side * side, logits, slices };
    const attended = attentionTo(graph, lookName(layer), shape, {
      query: sideBySide(add(graph, query, queryPosition)),
      keys: features.keys(layer),
      values: features.values(layer),
      mask: (scores) => boltzmannMask(graph, scores, sampling),
    });
    const back = reshape(attended, pairs, graph.ints(queries, channels));
    return layerNorm(graph, add(graph, query, back), `${name}.norm`);
  }

  /** [S * P, Q, C] -> [S, P * Q, C] */
  function sideBySide(x: Value): Value {
    return reshape(x, slices, graph.ints(-1, channels));
  }

  /** Self-attention over queries and words. */
  function talk(name: string): Value {
    const both = graph.op("Concat", [query, text], { axis: { int: 1 } });
    const placed = add(graph, both, position);
    const inputs = { query: placed, key: placed, value: both };
    const attended = attention(graph, `${PREDICTOR}.${name}.self_attn`, shape, inputs);
    return layerNorm(graph, add(graph, both, attended), `${PREDICTOR}.${name}.norm`);
  }

  /** The feed-forward layer. */
  function think(x: Value, name: string): Value {
    const rows = feedForward(graph, tokensToRows(graph, x, channels), `${PREDICTOR}.${name}`);
    return rowsToTokens(graph, layerNorm(graph, rows, `${PREDICTOR}.${name}.norm`), x, channels);
  }

  /** Cross-attention of the existence token to queries and words. */
  function judge(name: string): Value {
    const inputs = { query: token, key: add(graph, together, position), value: together };
    const attended = attention(graph, `${PREDICTOR}.${name}.multihead_attn`, shape, inputs);
    return layerNorm(graph, add(graph, token, attended), `${PREDICTOR}.${name}.norm`);
  }

  /** Means over the mask queries and over the edge queries: of their vectors, since all else is linear. */
  function masksAndEdges(): Pick<DecoderOutputs, "masks" | "edges"> {
    const { finest } = features;
    const edgesFrom = queries - graph.weights.config.edgeQueries;
    const vectors = reshape(maskVectors(graph, query), slices, prompts, graph.ints(queries, channels));
    const mean = (from: number, to: number) => {
      const some = graph.op("Slice", [vectors, graph.ints(from), graph.ints(to), graph.ints(2)]);
      return graph.op("ReduceMean", [some, graph.ints(2)], { keepdims: { int: 0 } });
    };
    const means = graph.op("Concat", [mean(0, edgesFrom), mean(edgesFrom, queries)], { axis: { int: 1 } });
    const logits = maskLogits(graph, finest, means, slices);
    const byKind = reshape(logits, slices, graph.ints(2), prompts, graph.ints(finest.side, finest.side));
    const kind = (n: number) =>
      graph.op("Squeeze", [
        graph.op("Slice", [byKind, graph.ints(n), graph.ints(n + 1), graph.ints(1)]),
        graph.ints(1),
      ]);
    return { masks: kind(0), edges: kind(1) };
  }
}

const TO_THE_END = 2 ** 40;

/** [L, P, C] -> [S * P, L, C] */
function textForEachPair(graph: Graph, { text, slices }: DecoderInputs, concat: (...dims: Value[]) => Value): Value {
  const { hiddenDim } = graph.weights.config;
  const byPrompt = graph.op("Transpose", [text], { perm: { ints: [1, 0, 2] } });
  const repeated = graph.op("Expand", [
    graph.op("Unsqueeze", [byPrompt, graph.ints(0)]),
    concat(slices, graph.ints(1, 1, 1)),
  ]);
  const length = graph.op("Shape", [text], { start: { int: 0 }, end: { int: 1 } });
  return graph.op("Reshape", [repeated, concat(graph.ints(-1), length, graph.ints(hiddenDim))]);
}

/** What the mask features are multiplied with, of each query: [S * P, Q, C]. */
function maskVectors(graph: Graph, query: Value): Value {
  const { hiddenDim } = graph.weights.config;
  const name = `${PREDICTOR}.mask_embed.layers`;
  let rows = tokensToRows(graph, layerNorm(graph, query, `${PREDICTOR}.decoder_norm`), hiddenDim);
  rows = relu(graph, linear(graph, rows, `${name}.0`));
  rows = relu(graph, linear(graph, rows, `${name}.1`));
  return rowsToTokens(graph, linear(graph, rows, `${name}.2`), query, hiddenDim);
}
