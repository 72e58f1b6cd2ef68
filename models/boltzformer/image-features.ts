import { NOISE_INPUT } from "../contract.ts";
import type { ValueInfo } from "../onnx/model.ts";
import { attentionKeys, attentionValues } from "./attention.ts";
import type { Graph, Value } from "./graph.ts";
import { add, mapToRows } from "./layers.ts";
import { coarseMaskFeatures } from "./mask-features.ts";
import { DECODER_STRIDES, MASK_STRIDE, type NetworkConfig } from "./network-config.ts";
import { PREDICTOR } from "./network-tensors.ts";
import type { FeatureMap, PixelFeatures } from "./pixel-decoder.ts";
import { positionEncoding } from "./position-encoding.ts";

/** All that the decoder wants of an image: the same whatever is asked, and whatever noise it is asked with. */
export interface ImageFeatures {
  /** What masks are made of, [S, C, side, side]. */
  readonly finest: FeatureMap;
  /** Mask features on the grid of a level, [S, C, tokens]. */
  coarse(level: number): Value;
  /** Keys of a decoder layer's look at the image, [S, heads, C / heads, tokens]. */
  keys(layer: number): Value;
  /** Its values, [S, heads, tokens, C / heads]. */
  values(layer: number): Value;
}

/** The level that a decoder layer looks at, and the grid's side there. */
export function levelOf(
  layer: number,
  { imageSize }: Pick<NetworkConfig, "imageSize">,
): { readonly level: number; readonly side: number } {
  const level = layer % DECODER_STRIDES.length;
  return { level, side: imageSize / DECODER_STRIDES[level]! };
}

/** The attention by which a decoder layer looks at the image. */
export function lookName(layer: number): string {
  return `${PREDICTOR}.transformer_cross_attention_layers.${layer}.multihead_attn`;
}

/** Features made in this graph, keys and values where a layer wants them. */
export function madeFeatures(graph: Graph, pixels: PixelFeatures): ImageFeatures {
  const { hiddenDim: channels, heads } = graph.weights.config;
  const shape = { channels, heads };
  const levels = pixels.scales.map((scale, level) => levelTokens(graph, scale, level));
  const sides = pixels.scales.map(({ side }) => side);
  const coarse = coarseMaskFeatures(graph, pixels.finest, sides).map((value, n) =>
    graph.name(`mask_features${n}`, value),
  );
  const tokensOf = (layer: number) => levels[levelOf(layer, graph.weights.config).level]!;
  return {
    finest: pixels.finest,
    coarse: (level) => coarse[level]!,
    keys: (layer) => attentionKeys(graph, lookName(layer), shape, tokensOf(layer).placed),
    values: (layer) => attentionValues(graph, lookName(layer), shape, tokensOf(layer).tokens),
  };
}

/** Features that another graph made, as inputs of this one. */
export function givenFeatures({ imageSize }: NetworkConfig): ImageFeatures {
  return {
    finest: { map: "finest", side: imageSize / MASK_STRIDE },
    coarse: (level) => `mask_features${level}`,
    keys: (layer) => `keys${layer}`,
    values: (layer) => `values${layer}`,
  };
}

/** The features that go from one graph to the other, by name. */
export function featureValues({ imageSize, hiddenDim, heads, decoderLayers }: NetworkConfig): readonly ValueInfo[] {
  const maskSide = imageSize / MASK_STRIDE;
  const float = (name: string, ...dims: readonly number[]): ValueInfo => ({
    name,
    dtype: "float32",
    dims: ["S", ...dims],
  });
  const tokens = (layer: number) => levelOf(layer, { imageSize }).side ** 2;
  const layers = Array.from({ length: decoderLayers }, (_, layer) => layer);
  return [
    float("finest", hiddenDim, maskSide, maskSide),
    ...DECODER_STRIDES.map((_, level) => float(`mask_features${level}`, hiddenDim, tokens(level))),
    ...layers.map((layer) => float(`keys${layer}`, heads, hiddenDim / heads, tokens(layer))),
    ...layers.map((layer) => float(`values${layer}`, heads, tokens(layer), hiddenDim / heads)),
  ];
}

/** The decoder's noise as inputs, one for each layer: [1, heads, 1, queries, tokens]. */
export function noiseValues(config: NetworkConfig): readonly ValueInfo[] {
  return Array.from({ length: config.decoderLayers }, (_, layer) => ({
    name: `${NOISE_INPUT}${layer}`,
    dtype: "float32",
    dims: noiseDims(config, layer),
  }));
}

export function noiseDims(config: NetworkConfig, layer: number): readonly number[] {
  const { heads, queries } = config;
  return [1, heads, 1, queries, levelOf(layer, config).side ** 2];
}

interface LevelTokens {
  /** [S, side * side, C], the level's own embedding added. */
  readonly tokens: Value;
  /** The same with positions, as keys are. */
  readonly placed: Value;
}

function levelTokens(graph: Graph, { map, side }: FeatureMap, level: number): LevelTokens {
  const { hiddenDim } = graph.weights.config;
  const embedding = graph.rows(`${PREDICTOR}.level_embed.weight`, level, level + 1);
  const rows = add(graph, mapToRows(graph, map, hiddenDim), embedding);
  const tokens = graph.op("Reshape", [rows, graph.ints(-1, side * side, hiddenDim)]);
  return { tokens, placed: add(graph, tokens, positionEncoding(graph, side, hiddenDim)) };
}
