import { type NetworkConfig, OFFICIAL_CONFIG, type UntoldConfig } from "./network-config.ts";
import { BACKBONE, networkTensors, PIXEL_DECODER, PREDICTOR, TEXT } from "./network-tensors.ts";
import { unusableWeights } from "./weights/byte-source.ts";
import type { StoredTensor } from "./weights/stored-tensor.ts";
import type { WeightsFile } from "./weights/weights-file.ts";

/** A weights file that holds exactly the tensors of a network of these sizes. */
export interface NetworkWeights {
  readonly config: NetworkConfig;
  /** Of every tensor of rank 4: [out, in, rows, columns] as PyTorch has it, or [out, rows, columns, in] as MLX has it. */
  readonly layout: "channels-first" | "channels-last";
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Reads a network's sizes from its tensors, and checks that every one of them is there in its shape, and none besides.
 *
 * @param given sizes that shapes do not tell (as the official network's where absent); one that they do tell has to agree
 * @throws ModelBundleError that names the tensor at fault
 */
export function describeNetwork(weights: WeightsFile, given: Partial<NetworkConfig> = {}): NetworkWeights {
  const layout = layoutOf(weights);
  const told = sizesOf(weights, layout);
  for (const [key, size] of Object.entries(told)) {
    const asked = given[key as keyof typeof told];
    if (asked !== undefined && String(asked) !== String(size))
      throw unusableWeights(weights.file, `has ${key} ${size}, where the configuration says ${asked}`);
  }
  const config: NetworkConfig = { ...untold(given), ...told };
  checkDivisions(weights, config);
  checkTensors(weights, config, layout);
  return { config, layout, tensors: weights.tensors };
}

type ToldConfig = Omit<NetworkConfig, keyof UntoldConfig>;

const STEM = `${BACKBONE}.patch_embed.proj.weight`;

function layoutOf(weights: WeightsFile): NetworkWeights["layout"] {
  const [, ...rest] = shapeOf(weights, STEM);
  if (String(rest) === "3,7,7") return "channels-first";
  if (String(rest) === "7,7,3") return "channels-last";
  throw misshapen(weights, STEM, [0, 3, 7, 7]);
}

function sizesOf(weights: WeightsFile, layout: NetworkWeights["layout"]): ToldConfig {
  const size = (name: string, axis: number) => shapeOf(weights, name)[axis] ?? 0;
  const blocks = (stage: number) =>
    countWhile((n) => weights.tensors.has(`${BACKBONE}.layers.${stage}.blocks.${n}.gamma_1`));
  const focal = (level: number) => `${BACKBONE}.layers.0.blocks.0.modulation.focal_layers.${level}.0.weight`;
  const layers = (prefix: string, suffix: string) => countWhile((n) => weights.tensors.has(`${prefix}.${n}.${suffix}`));
  return {
    embedDim: size(STEM, 0),
    depths: [blocks(0), blocks(1), blocks(2), blocks(3)],
    focalLevels: countWhile((n) => weights.tensors.has(focal(n))),
    focalWindow: size(focal(0), layout === "channels-first" ? 2 : 1),
    hiddenDim: size(`${PIXEL_DECODER}.mask_features.weight`, 0),
    ffnDim: size(`${PREDICTOR}.initial_ffn_layer.linear1.weight`, 0),
    encoderLayers: layers(`${PIXEL_DECODER}.transformer.encoder.layers`, "linear1.weight"),
    decoderLayers: layers(`${PREDICTOR}.transformer_ffn_layers`, "linear1.weight"),
    queries: size(`${PREDICTOR}.query_feat_.weight`, 0),
    textLayers: layers(`${TEXT}.resblocks`, "ln_1.weight"),
    textWidth: size(`${TEXT}.token_embedding.weight`, 1),
    textContext: size(`${TEXT}.positional_embedding`, 0),
    textVocabulary: size(`${TEXT}.token_embedding.weight`, 0),
  };
}

function untold(given: Partial<NetworkConfig>): UntoldConfig {
  const { heads, edgeQueries, textHeads, imageSize, sampleRatio, baseTemperature } = { ...OFFICIAL_CONFIG, ...given };
  return { heads, edgeQueries, textHeads, imageSize, sampleRatio, baseTemperature };
}

/** GroupNorm's groups, in the pixel decoder. */
export const NORM_GROUPS = 32;

function checkDivisions(weights: WeightsFile, config: NetworkConfig): void {
  const { hiddenDim, heads, textWidth, textHeads, queries, edgeQueries, focalWindow, textContext } = config;
  const wrong = (how: string) =>
    unusableWeights(weights.file, `does not fit the configuration: ${how}; give the network's own with --config`);
  if (
    Object.values(config)
      .flat()
      .some((size) => size === 0)
  )
    throw wrong("a size is 0");
  if (hiddenDim % heads !== 0) throw wrong(`${hiddenDim} channels cannot be shared by ${heads} heads`);
  if (hiddenDim % NORM_GROUPS !== 0) throw wrong(`${hiddenDim} channels do not make ${NORM_GROUPS} groups`);
  if (hiddenDim % 4 !== 0) throw wrong(`${hiddenDim} channels cannot hold two coordinates`);
  if (textWidth % textHeads !== 0) throw wrong(`a text width of ${textWidth} cannot be shared by ${textHeads} heads`);
  if (queries <= edgeQueries) throw wrong(`${queries} queries leave none for masks beside ${edgeQueries} for edges`);
  if (focalWindow % 2 === 0) throw wrong(`a focal window of ${focalWindow} has no centre`);
  if (textContext < 3) throw wrong(`a context of ${textContext} tokens holds no prompt`);
  if (config.textVocabulary < 3) throw wrong(`${config.textVocabulary} tokens hold no word`);
}

function checkTensors(weights: WeightsFile, config: NetworkConfig, layout: NetworkWeights["layout"]): void {
  const expected = networkTensors(config);
  for (const [name, shape] of expected) {
    const expectedShape = stored(shape, layout);
    const actual = shapeOf(weights, name);
    const isScalar = shape.length === 0 && String(actual) === "1";
    if (!isScalar && String(actual) !== String(expectedShape)) throw misshapen(weights, name, expectedShape);
  }
  const extra = [...weights.tensors.keys()].find((name) => !expected.has(name));
  if (extra !== undefined) throw unusableWeights(weights.file, `has the tensor "${extra}", which this network has not`);
}

function stored(shape: readonly number[], layout: NetworkWeights["layout"]): readonly number[] {
  const [out, input, rows, columns] = shape;
  return layout === "channels-last" && shape.length === 4 ? [out!, rows!, columns!, input!] : shape;
}

function shapeOf(weights: WeightsFile, name: string): readonly number[] {
  const tensor = weights.tensors.get(name);
  if (tensor === undefined) throw unusableWeights(weights.file, `lacks the tensor "${name}"`);
  return tensor.shape;
}

function misshapen(weights: WeightsFile, name: string, expected: readonly number[]) {
  const wanted = expected.map((length) => length || "n").join(", ");
  const actual = weights.tensors.get(name)?.shape.join(", ") ?? "";
  return unusableWeights(weights.file, `has "${name}" as [${actual}] in place of [${wanted}]`);
}

function countWhile(isThere: (n: number) => boolean): number {
  let n = 0;
  while (isThere(n)) n++;
  return n;
}
