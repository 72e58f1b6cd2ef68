import { attend } from "./attention.ts";
import type { FeatureRows } from "./backbone.ts";
import type { Graph, Value } from "./graph.ts";
import {
  add,
  convolution,
  feedForward,
  groupNorm,
  layerNorm,
  pointwise,
  relu,
  rowsToMap,
  rowsToTokens,
  tokensToRows,
} from "./layers.ts";
import { PIXEL_DECODER } from "./network-tensors.ts";
import { positionEncoding } from "./position-encoding.ts";

/** A map [S, hiddenDim, side, side]. */
export interface FeatureMap {
  readonly map: Value;
  readonly side: number;
}

export interface PixelFeatures {
  /** At strides 32, 16 and 8: what the decoder's layers look at. */
  readonly scales: readonly FeatureMap[];
  /** At stride 4: what the masks are made of. */
  readonly finest: FeatureMap;
}

/** A feature pyramid whose coarsest map went through a transformer. */
export function pixelDecoder(graph: Graph, features: readonly FeatureRows[]): PixelFeatures {
  const { hiddenDim } = graph.weights.config;
  const [coarsest, ...finer] = features.toReversed() as [FeatureRows, ...FeatureRows[]];
  const encoded = rowsToMap(graph, encoder(graph, coarsest), hiddenDim, coarsest.side);
  const maps: FeatureMap[] = [{ map: smooth(graph, encoded, features.length, coarsest.side), side: coarsest.side }];
  for (const [n, { rows, side }] of finer.entries()) {
    const layer = finer.length - n;
    const name = `${PIXEL_DECODER}.adapter_${layer}`;
    const adapted = rowsToMap(graph, pointwise(graph, rows, name, { bias: false }), hiddenDim, side);
    const lateral = groupNorm(graph, adapted, `${name}.norm`, hiddenDim, side);
    const sum = add(graph, lateral, twiceAsLarge(graph, maps.at(-1)!.map));
    maps.push({ map: smooth(graph, sum, layer, side), side });
  }
  const [finest, ...scales] = maps.toReversed() as [FeatureMap, ...FeatureMap[]];
  return {
    scales: scales.toReversed().map(({ map, side }, n) => ({ map: graph.name(`scale${n}`, map), side })),
    finest: { ...finest, map: graph.name("finest", finest.map) },
  };
}

/** Transformer over the coarsest map; positions are added to queries and keys, and norms come last. */
function encoder(graph: Graph, { rows, side }: FeatureRows): Value {
  const { hiddenDim: channels, heads, encoderLayers } = graph.weights.config;
  const position = positionEncoding(graph, side, channels);
  const projected = pointwise(graph, rows, `${PIXEL_DECODER}.input_proj`, { bias: true });
  let x = graph.op("Reshape", [projected, graph.ints(-1, side * side, channels)]);
  for (let layer = 0; layer < encoderLayers; layer++) {
    const name = `${PIXEL_DECODER}.transformer.encoder.layers.${layer}`;
    const placed = add(graph, x, position);
    const inputs = { query: placed, key: placed, value: x };
    const attended = attend(graph, x, `${name}.self_attn`, { channels, heads }, inputs);
    const y = tokensToRows(graph, layerNorm(graph, attended, `${name}.norm1`), channels);
    x = rowsToTokens(graph, layerNorm(graph, feedForward(graph, y, name), `${name}.norm2`), x, channels);
  }
  return tokensToRows(graph, x, channels);
}

/** 3 x 3 convolution, GroupNorm, ReLU. */
function smooth(graph: Graph, map: Value, layer: number, side: number): Value {
  const name = `${PIXEL_DECODER}.layer_${layer}`;
  const convolved = convolution(graph, map, name, { side: 3, padding: 1, bias: false });
  return relu(graph, groupNorm(graph, convolved, `${name}.norm`, graph.weights.config.hiddenDim, side));
}

/** By repeating each pixel. */
function twiceAsLarge(graph: Graph, map: Value): Value {
  const scales = graph.constant("twice", [4], () => Float32Array.of(1, 1, 2, 2));
  return graph.op("Resize", [map, "", scales], {
    mode: { string: "nearest" },
    coordinate_transformation_mode: { string: "asymmetric" },
    nearest_mode: { string: "floor" },
  });
}
