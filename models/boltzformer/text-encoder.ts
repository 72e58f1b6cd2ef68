import { TEXT_GRAPH } from "../contract.ts";
import type { OnnxModel } from "../onnx/model.ts";
import { attend } from "./attention.ts";
import { Graph, type GraphWeights, type Value } from "./graph.ts";
import { add, layerNorm, linear, rowsToTokens, tokensToRows } from "./layers.ts";
import { LANGUAGE, TEXT } from "./network-tensors.ts";

const TEXT_NORM_EPSILON = 1e-12;
const QUICK_GELU = 1.702;

/** CLIP's text transformer: input_ids [P, K] -> token_embeddings [P, K, hiddenDim]. */
export function textModel(weights: GraphWeights): OnnxModel {
  const { textWidth: channels, textHeads: heads, textContext, textLayers, hiddenDim } = weights.config;
  const graph = new Graph(weights);
  const { input, output } = TEXT_GRAPH;
  const words = graph.op("Gather", [graph.weight(`${TEXT}.token_embedding.weight`), input.name]);
  let x = add(graph, words, graph.weight(`${TEXT}.positional_embedding`));
  for (let layer = 0; layer < textLayers; layer++) {
    const name = `${TEXT}.resblocks.${layer}`;
    const y = norm(graph, x, `${name}.ln_1`);
    const mask = (scores: Value) => add(graph, scores, causalMask(graph, textContext));
    x = attend(graph, x, `${name}.attn`, { channels, heads }, { query: y, key: y, value: y, mask });
    const rows = tokensToRows(graph, norm(graph, x, `${name}.ln_2`), channels);
    const inner = quickGelu(graph, linear(graph, rows, `${name}.mlp.c_fc`));
    x = add(graph, x, rowsToTokens(graph, linear(graph, inner, `${name}.mlp.c_proj`), x, channels));
  }
  const final = norm(graph, x, `${TEXT}.ln_final`);
  graph.name(output.name, graph.op("MatMul", [final, graph.weight(`${LANGUAGE}.lang_proj`)]));
  return graph.model(
    "BoltzFormer text encoder",
    [{ ...input, dims: ["P", textContext] }],
    [{ ...output, dims: ["P", textContext, hiddenDim] }],
  );
}

function norm(graph: Graph, x: Value, name: string): Value {
  return layerNorm(graph, x, name, TEXT_NORM_EPSILON);
}

/** x * sigmoid(1.702 x) */
function quickGelu(graph: Graph, x: Value): Value {
  return graph.op("Mul", [x, graph.op("Sigmoid", [graph.op("Mul", [x, graph.scalar(QUICK_GELU)])])]);
}

/** A token sees itself and those before it. */
function causalMask(graph: Graph, length: number): Value {
  const isLater = (n: number) => n % length > Math.floor(n / length);
  return graph.constant("causal_mask", [length, length], () =>
    Float32Array.from({ length: length * length }, (_, n) => (isLater(n) ? Number.NEGATIVE_INFINITY : 0)),
  );
}
