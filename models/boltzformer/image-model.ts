import { IMAGE_GRAPH } from "../contract.ts";
import type { OnnxModel } from "../onnx/model.ts";
import { backbone } from "./backbone.ts";
import { decoder } from "./decoder.ts";
import { Graph, type GraphWeights } from "./graph.ts";
import { MASK_STRIDE } from "./network-config.ts";
import { pixelDecoder } from "./pixel-decoder.ts";

/** Of grey values 0..255: the means over the three channels of ImageNet's means and standard deviations. */
const GREY_MEAN = 114.495;
const GREY_DEVIATION = (58.395 + 57.12 + 57.375) / 3;

/**
 * The whole image model: grey values and words to masks, edges and existence (models/contract.ts has names and shapes).
 *
 * @param seed which frozen noise the decoder's sampling uses
 */
export function imageModel(weights: GraphWeights, seed: number): OnnxModel {
  const { imageSize, hiddenDim } = weights.config;
  const graph = new Graph(weights);
  const { image, textTokens, maskLogits, edgeLogits, existenceLogits } = IMAGE_GRAPH;
  const centred = graph.op("Sub", [image.name, graph.scalar(GREY_MEAN)]);
  const normalised = graph.op("Div", [centred, graph.scalar(GREY_DEVIATION)]);
  const pixels = pixelDecoder(graph, backbone(graph, normalised));
  const slices = graph.op("Shape", [image.name], { start: { int: 0 }, end: { int: 1 } });
  const prompts = graph.op("Shape", [textTokens.name], { start: { int: 1 }, end: { int: 2 } });
  const answer = decoder(graph, { pixels, text: textTokens.name, slices, prompts, seed });
  graph.name(maskLogits.name, answer.masks);
  graph.name(edgeLogits.name, answer.edges);
  graph.name(existenceLogits.name, answer.existence);
  const maskSide = imageSize / MASK_STRIDE;
  return graph.model(
    "BoltzFormer image model",
    [
      { ...image, dims: ["S", 3, imageSize, imageSize] },
      { ...textTokens, dims: ["L", "P", hiddenDim] },
    ],
    [
      { ...maskLogits, dims: ["S", "P", maskSide, maskSide] },
      { ...existenceLogits, dims: ["S", "P"] },
      { ...edgeLogits, dims: ["S", "P", maskSide, maskSide] },
    ],
  );
}
