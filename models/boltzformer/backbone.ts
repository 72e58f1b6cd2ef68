import type { Graph, Value } from "./graph.ts";
import {
  add,
  convolution,
  gelu,
  layerNorm,
  linear,
  linearPart,
  mapToRows,
  mapToTokens,
  perceptron,
  pointwise,
  rowsToMap,
  scaledLayerNorm,
  tokensToRows,
} from "./layers.ts";
import { STRIDES } from "./network-config.ts";
import { BACKBONE, stageChannels } from "./network-tensors.ts";

/** A map of the backbone as rows [S * side * side, channels]. */
export interface FeatureRows {
  readonly rows: Value;
  readonly channels: number;
  readonly side: number;
}

/** Of a slice that go through a perceptron together. */
const ROWS_OF_A_PART = 1024;

/** FocalNet (Yang et al., 2022): image [S, 3, N, N], normalised -> features at strides 4, 8, 16 and 32. */
export function backbone(graph: Graph, image: Value): readonly FeatureRows[] {
  const { config } = graph.weights;
  const features: FeatureRows[] = [];
  let x = stem(graph, image, config.embedDim);
  for (const [stage, stride] of STRIDES.entries()) {
    const channels = stageChannels(config, stage);
    const side = config.imageSize / stride;
    for (let block = 0; block < config.depths[stage]!; block++)
      x = focalBlock(graph, x, `${BACKBONE}.layers.${stage}.blocks.${block}`, channels, side);
    const rows = graph.name(`backbone.res${stage + 2}`, layerNorm(graph, x, `${BACKBONE}.norm${stage}`));
    features.push({ rows, channels, side });
    if (stage < STRIDES.length - 1) x = downsample(graph, x, stage, channels, side);
  }
  return features;
}

function stem(graph: Graph, image: Value, channels: number): Value {
  const patches = convolution(graph, image, `${BACKBONE}.patch_embed.proj`, {
    side: 7,
    stride: 4,
    padding: 2,
    bias: true,
  });
  return layerNorm(graph, mapToRows(graph, patches, channels), `${BACKBONE}.patch_embed.norm`);
}

function downsample(graph: Graph, x: Value, stage: number, channels: number, side: number): Value {
  const name = `${BACKBONE}.layers.${stage}.downsample`;
  const options = { side: 3, stride: 2, padding: 1, bias: true };
  const halved = convolution(graph, rowsToMap(graph, x, channels, side), `${name}.proj`, options);
  return layerNorm(graph, mapToRows(graph, halved, 2 * channels), `${name}.norm`);
}

/** Norms come after the modulation and after the MLP. */
function focalBlock(graph: Graph, x: Value, name: string, channels: number, side: number): Value {
  const modulated = focalModulation(graph, x, `${name}.modulation`, channels, side);
  const y = add(graph, x, scaledLayerNorm(graph, modulated, `${name}.norm1`, `${name}.gamma_1`));
  const outer = perceptron(graph, y, [`${name}.mlp.fc1`, `${name}.mlp.fc2`], {
    activate: gelu,
    parts: Math.ceil(side ** 2 / ROWS_OF_A_PART),
  });
  return add(graph, y, scaledLayerNorm(graph, outer, `${name}.norm2`, `${name}.gamma_2`));
}

/**
 * Each token's query times a modulator: its surroundings at growing focal levels, and the whole image's mean, each let
 * through by a gate of the token's own.
 */
function focalModulation(graph: Graph, x: Value, name: string, channels: number, side: number): Value {
  const { focalLevels, focalWindow } = graph.weights.config;
  const part = (from: number, to: number) => linearPart(graph, x, `${name}.f.weight`, `${name}.f.bias`, from, to);
  const query = part(0, channels);
  let context = rowsToMap(graph, part(channels, 2 * channels), channels, side);
  const gates = graph.op("Reshape", [
    part(2 * channels, 2 * channels + focalLevels + 1),
    graph.ints(-1, side * side, focalLevels + 1),
  ]);
  const through = (gate: number, tokens: Value) =>
    graph.op("Mul", [tokens, graph.op("Slice", [gates, graph.ints(gate), graph.ints(gate + 1), graph.ints(2)])]);
  const seen: Value[] = [];
  for (let level = 0; level < focalLevels; level++) {
    const kernel = focalWindow + 2 * level;
    const options = { side: kernel, padding: (kernel - 1) / 2, bias: false, depthwise: channels };
    context = gelu(graph, convolution(graph, context, `${name}.focal_layers.${level}.0`, options));
    seen.push(through(level, mapToTokens(graph, context, channels, side)));
  }
  const whole = gelu(graph, graph.op("GlobalAveragePool", [context]));
  seen.push(through(focalLevels, mapToTokens(graph, whole, channels, 1)));
  const sum = seen.reduce((total, one) => add(graph, total, one));
  const scale = 1 / (focalLevels + 1);
  const modulator = pointwise(graph, tokensToRows(graph, sum, channels), `${name}.h`, { bias: true, scale });
  return linear(graph, graph.op("Mul", [query, modulator]), `${name}.proj`);
}
