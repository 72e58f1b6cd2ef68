import { IMAGE_GRAPH, NOISE_INPUT } from "../contract.ts";
import type { OnnxModel, ValueInfo } from "../onnx/model.ts";
import { backbone } from "./backbone.ts";
import { type DecoderInputs, decoder } from "./decoder.ts";
import { Graph, type GraphWeights, type Value } from "./graph.ts";
import { featureValues, givenFeatures, madeFeatures, noiseDims, noiseValues } from "./image-features.ts";
import { MASK_STRIDE, type NetworkConfig } from "./network-config.ts";
import { layerNoise } from "./noise.ts";
import { type PixelFeatures, pixelDecoder } from "./pixel-decoder.ts";

/** Of grey values 0..255: the means over the three channels of ImageNet's means and standard deviations. */
const GREY_MEAN = 114.495;
const GREY_DEVIATION = (58.395 + 57.12 + 57.375) / 3;

const { image, textTokens, maskLogits, edgeLogits, existenceLogits } = IMAGE_GRAPH;

/**
 * The whole image model: grey values and words to masks, edges and existence (models/contract.ts has names and shapes).
 *
 * @param seed which frozen noise the decoder's sampling uses
 */
export function imageModel(weights: GraphWeights, seed: number): OnnxModel {
  const { config } = weights;
  const graph = new Graph(weights);
  const features = madeFeatures(graph, pixelsOf(graph));
  const slices = graph.op("Shape", [image.name], { start: { int: 0 }, end: { int: 1 } });
  const noise = (layer: number) => {
    const dims = noiseDims(config, layer);
    const count = dims.reduce((product, length) => product * length, 1);
    return graph.constant(`${NOISE_INPUT}${layer}`, dims, () => layerNoise(seed, layer, count));
  };
  answer(graph, { features, slices, noise });
  return graph.model("BoltzFormer image model", [imageInput(config), textInput(config)], answers(config));
}

/** The first half of the image model: grey values to all that the second wants of them. */
export function imageEncoder(weights: GraphWeights): OnnxModel {
  const { config } = weights;
  const graph = new Graph(weights);
  const features = madeFeatures(graph, pixelsOf(graph));
  for (let layer = 0; layer < config.decoderLayers; layer++) {
    graph.name(`keys${layer}`, features.keys(layer));
    graph.name(`values${layer}`, features.values(layer));
  }
  return graph.model("BoltzFormer image encoder", [imageInput(config)], featureValues(config));
}

/** The second half: features, words and noise to masks, edges and existence. */
export function promptDecoder(weights: GraphWeights): OnnxModel {
  const { config } = weights;
  const graph = new Graph(weights);
  const features = givenFeatures(config);
  const slices = graph.op("Shape", [features.finest.map], { start: { int: 0 }, end: { int: 1 } });
  answer(graph, { features, slices, noise: (layer) => `${NOISE_INPUT}${layer}` });
  const inputs = [textInput(config), ...noiseValues(config), ...featureValues(config)];
  return graph.model("BoltzFormer prompt decoder", inputs, answers(config));
}

function pixelsOf(graph: Graph): PixelFeatures {
  const centred = graph.op("Sub", [image.name, graph.scalar(GREY_MEAN)]);
  const normalised = graph.op("Div", [centred, graph.scalar(GREY_DEVIATION)]);
  return pixelDecoder(graph, backbone(graph, normalised));
}

function answer(graph: Graph, inputs: Pick<DecoderInputs, "features" | "slices" | "noise">): void {
  const text: Value = textTokens.name;
  const prompts = graph.op("Shape", [text], { start: { int: 1 }, end: { int: 2 } });
  const { masks, edges, existence } = decoder(graph, { ...inputs, text, prompts });
  graph.name(maskLogits.name, masks);
  graph.name(edgeLogits.name, edges);
  graph.name(existenceLogits.name, existence);
}

function imageInput({ imageSize }: NetworkConfig): ValueInfo {
  return { ...image, dims: ["S", 3, imageSize, imageSize] };
}

function textInput({ hiddenDim }: NetworkConfig): ValueInfo {
  return { ...textTokens, dims: ["L", "P", hiddenDim] };
}

function answers({ imageSize }: NetworkConfig): readonly ValueInfo[] {
  const side = imageSize / MASK_STRIDE;
  return [
    { ...maskLogits, dims: ["S", "P", side, side] },
    { ...existenceLogits, dims: ["S", "P"] },
    { ...edgeLogits, dims: ["S", "P", side, side] },
  ];
}
