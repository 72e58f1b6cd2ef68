import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BundleManifest } from "../contract.ts";
import { encodeModel } from "../onnx/model.ts";
import { writeChunks } from "../onnx/write-file.ts";
import { writeTokenizer } from "./bundle-tokenizer.ts";
import { makeGoldenSample } from "./golden-sample.ts";
import type { GraphRunner } from "./graph-runner.ts";
import { imageEncoder, imageModel, promptDecoder } from "./image-model.ts";
import { boltzFormerManifest } from "./manifest.ts";
import { MASK_STRIDE, type NetworkConfig } from "./network-config.ts";
import { describeNetwork } from "./network-weights.ts";
import { describeFile, type PlaceOptions, placeWeights } from "./place-weights.ts";
import { textModel } from "./text-encoder.ts";
import { openWeights } from "./weights/weights-file.ts";

export interface BoltzFormerOptions extends PlaceOptions {
  /** The official checkpoint, or a safetensors file of the same tensors. */
  readonly weights: string;
  /** An empty folder that exists. */
  readonly folder: string;
  /** Asks the finished graphs for the bundle's golden sample. */
  readonly run: GraphRunner;
  /** What the tensors' shapes do not tell, where it is not as in the official network. */
  readonly config?: Partial<NetworkConfig> | undefined;
  /** Of the frozen noise; default 0, which the golden data were made with. */
  readonly seed?: number | undefined;
  /** A tokenizer.json; default: CLIP's own. */
  readonly tokenizer?: string | undefined;
  /** Of the model; default: "medimageparse3d" for a network of its sizes. */
  readonly name?: string | undefined;
  /** What is sent for a prompt that names a recommended target; default: its words as typed. */
  readonly phrasing?: BundleManifest["phrasing"] | undefined;
  /** Whether the weights' own place is given up in the end. A caller that moves the folder afterwards does it better itself. */
  readonly move?: boolean | undefined;
  /** @param share of the stage, 0 to 1 */
  readonly onProgress?: ((stage: "hash" | "graphs" | "golden-sample", share: number) => void) | undefined;
}

/**
 * Makes a bundle of a BoltzFormer network (MedImageParse 3D): graphs of our own (text, image, and the image's once more in two
 * halves) whose weights stay in their file, which is linked into the folder. No value of the weights is copied or converted.
 *
 * @throws ModelBundleError where the weights, the configuration or the tokenizer are not of such a network; nothing is left
 * of the source file then that was not there before
 */
export async function buildBoltzFormer(options: BoltzFormerOptions): Promise<BundleManifest> {
  const { weights: path, folder, seed = 0, onProgress, signal, run } = options;
  const contents = await openWeights(path);
  const network = describeNetwork(contents, options.config);
  const { config } = network;
  const file = contents.format === "pytorch" ? "weights.ckpt" : "weights.safetensors";

  await placeWeights(path, join(folder, file), options);
  const weights = await describeFile(join(folder, file), {
    onProgress: (share) => onProgress?.("hash", share),
    signal,
  });

  onProgress?.("graphs", 0);
  const graphWeights = { ...network, file };
  const { tokenizer, file: tokenizerFile } = await writeTokenizer(folder, config, options.tokenizer);
  const files = {
    textEncoder: await writeChunks(join(folder, "text_encoder.onnx"), encodeModel(textModel(graphWeights))),
    imageModel: await writeChunks(join(folder, "image_model.onnx"), encodeModel(imageModel(graphWeights, seed))),
    imageEncoder: await writeChunks(join(folder, "image_encoder.onnx"), encodeModel(imageEncoder(graphWeights))),
    promptDecoder: await writeChunks(join(folder, "prompt_decoder.onnx"), encodeModel(promptDecoder(graphWeights))),
    ...(tokenizerFile && { tokenizer: tokenizerFile }),
    weights: [weights],
  };
  onProgress?.("graphs", 1);
  signal?.throwIfAborted();

  onProgress?.("golden-sample", 0);
  const { imageSize, hiddenDim, textContext: contextLength } = config;
  const bundle = { imageSize, hiddenDim, contextLength, maskStride: MASK_STRIDE, files };
  const golden = await makeGoldenSample(folder, bundle, tokenizer, run);
  onProgress?.("golden-sample", 1);
  signal?.throwIfAborted();

  const { name, phrasing } = options;
  const manifest = boltzFormerManifest({ config, seed, files, golden, name, phrasing });
  await writeFile(join(folder, "manifest.json"), `${JSON.stringify(manifest, undefined, 2)}\n`, { flag: "wx" });
  if (options.move) await rm(path);
  return manifest;
}
