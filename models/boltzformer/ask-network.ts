import { join } from "node:path";
import { type BundleManifest, IMAGE_GRAPH, NOISE_INPUT, TEXT_GRAPH } from "../contract.ts";
import { ModelBundleError } from "../errors.ts";
import type { GraphRunner, GraphTensor } from "./graph-runner.ts";
import { layerNoise } from "./noise.ts";

/** What of a manifest is needed to run its graphs. */
export type RunnableBundle = Pick<BundleManifest, "imageSize" | "maskStride" | "hiddenDim" | "contextLength" | "files">;

export interface NetworkAnswer {
  /** [S, P, side, side] */
  readonly maskLogits: Float32Array;
  /** [S, P, side, side] */
  readonly edgeLogits: Float32Array;
  /** [S, P] */
  readonly existenceLogits: Float32Array;
}

/**
 * Asks a bundle's graphs, prompts of unequal length padded with zeros as upstream does.
 *
 * @param halves noise of the image model's two halves, which are asked in place of the whole
 * @param promptIds a row of token ids for each prompt, start and end included
 * @param images [S, 3, imageSize, imageSize] grey values
 * @throws ModelBundleError where a graph answers something else than the contract says
 */
export async function askNetwork(
  folder: string,
  bundle: RunnableBundle,
  promptIds: readonly (readonly number[])[],
  images: Float32Array,
  run: GraphRunner,
  halves?: { readonly sampling: BundleManifest["sampling"] },
): Promise<NetworkAnswer> {
  const { imageSize, maskStride, hiddenDim, contextLength, files } = bundle;
  const prompts = promptIds.length;
  const slices = images.length / (3 * imageSize * imageSize);
  const ids = new BigInt64Array(prompts * contextLength);
  for (const [p, row] of promptIds.entries()) ids.set(row.map(BigInt), p * contextLength);
  const text = await run(join(folder, files.textEncoder.name), {
    [TEXT_GRAPH.input.name]: { dtype: "int64", dims: [prompts, contextLength], data: ids },
  });
  const embeddings = outputOf(files.textEncoder.name, text, TEXT_GRAPH.output.name, ids.length * hiddenDim);
  const longest = Math.max(...promptIds.map((row) => row.length));
  const pictures = {
    [IMAGE_GRAPH.image.name]: { dtype: "float32", dims: [slices, 3, imageSize, imageSize], data: images },
  } as const;
  const words = {
    [IMAGE_GRAPH.textTokens.name]: {
      dtype: "float32",
      dims: [longest, prompts, hiddenDim],
      data: stackTokens(embeddings, promptIds, longest, contextLength, hiddenDim),
    },
  } as const;
  const { imageModel, imageEncoder, promptDecoder } = files;
  const isHalved = halves !== undefined && imageEncoder !== undefined && promptDecoder !== undefined;
  const image = isHalved
    ? await run(join(folder, promptDecoder.name), {
        ...(await run(join(folder, imageEncoder.name), pictures)),
        ...words,
        ...noiseInputs(halves.sampling),
      })
    : await run(join(folder, imageModel.name), { ...pictures, ...words });
  const pixels = slices * prompts * (imageSize / maskStride) ** 2;
  const answer = (name: string, length: number) => outputOf(files.imageModel.name, image, name, length);
  return {
    maskLogits: answer(IMAGE_GRAPH.maskLogits.name, pixels),
    // Rules have no edges.
    edgeLogits: image[IMAGE_GRAPH.edgeLogits.name] ? answer(IMAGE_GRAPH.edgeLogits.name, pixels) : new Float32Array(),
    existenceLogits: answer(IMAGE_GRAPH.existenceLogits.name, slices * prompts),
  };
}

function noiseInputs(sampling: BundleManifest["sampling"]): Readonly<Record<string, GraphTensor>> {
  if (sampling.mode === "none") return {};
  const tensors = (sampling.noise ?? []).map((dims, layer) => {
    const count = dims.reduce((product, length) => product * length, 1);
    const noise: GraphTensor = { dtype: "float32", dims, data: layerNoise(sampling.seed, layer, count) };
    return [`${NOISE_INPUT}${layer}`, noise] as const;
  });
  return Object.fromEntries(tensors);
}

/** [P, contextLength, C] -> [longest, P, C]; what is left of shorter prompts is zero. */
function stackTokens(
  embeddings: Float32Array,
  promptIds: readonly (readonly number[])[],
  longest: number,
  contextLength: number,
  hiddenDim: number,
): Float32Array {
  const stacked = new Float32Array(longest * promptIds.length * hiddenDim);
  for (const [p, { length }] of promptIds.entries()) {
    for (let token = 0; token < length; token++) {
      const from = (p * contextLength + token) * hiddenDim;
      stacked.set(embeddings.subarray(from, from + hiddenDim), (token * promptIds.length + p) * hiddenDim);
    }
  }
  return stacked;
}

function outputOf(
  file: string,
  outputs: Readonly<Record<string, GraphTensor>>,
  name: string,
  length: number,
): Float32Array {
  const { dtype, data } = outputs[name] ?? {};
  if (dtype === "float32" && data?.length === length) return data;
  throw new ModelBundleError(file, `does not answer "${name}" as the bundle contract says; install the model again.`);
}
