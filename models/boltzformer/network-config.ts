import { z } from "zod";
import { ModelBundleError } from "../errors.ts";

/** Every size of a BoltzFormer network. */
export interface NetworkConfig {
  /** Channels of the backbone's first stage; each further stage has twice as many. */
  readonly embedDim: number;
  /** Blocks of each stage of the backbone. */
  readonly depths: readonly [number, number, number, number];
  readonly focalLevels: number;
  /** Side of the first focal level's kernel; each further one's is 2 larger. */
  readonly focalWindow: number;
  /** Channels of pixel decoder and decoder. */
  readonly hiddenDim: number;
  readonly heads: number;
  readonly ffnDim: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly queries: number;
  /** How many of the queries, the last ones, look for edges. */
  readonly edgeQueries: number;
  readonly textLayers: number;
  readonly textWidth: number;
  readonly textHeads: number;
  readonly textContext: number;
  readonly textVocabulary: number;
  /** Side of the image, pixels. */
  readonly imageSize: number;
  /** Draws of the attention mask's Boltzmann sampling, as a share of the tokens. */
  readonly sampleRatio: number;
  readonly baseTemperature: number;
}

/** What tensors' shapes do not tell. */
export type UntoldConfig = Pick<
  NetworkConfig,
  "heads" | "edgeQueries" | "textHeads" | "imageSize" | "sampleRatio" | "baseTemperature"
>;

/** The official MedImageParse 3D (BiomedParse v2) network. */
export const OFFICIAL_CONFIG: NetworkConfig = {
  embedDim: 192,
  depths: [2, 2, 18, 2],
  focalLevels: 4,
  focalWindow: 3,
  hiddenDim: 512,
  heads: 8,
  ffnDim: 2048,
  encoderLayers: 6,
  decoderLayers: 9,
  queries: 16,
  edgeQueries: 4,
  textLayers: 12,
  textWidth: 512,
  textHeads: 8,
  textContext: 77,
  textVocabulary: 49_408,
  imageSize: 512,
  sampleRatio: 0.1,
  baseTemperature: 1,
};

/** Strides of the backbone's maps, from fine to coarse. */
export const STRIDES = [4, 8, 16, 32] as const;
/** Stride of the mask. */
export const MASK_STRIDE = STRIDES[0];
/** Strides of the maps that the decoder's layers look at, in turn. */
export const DECODER_STRIDES = [32, 16, 8] as const;

const Count = z.int().min(1).max(1_000_000);
const Few = z.int().min(1).max(256);

/** A network's sizes as upstream's own configuration names them; whatever is absent is as shapes tell or officially. */
const ConfigFile = z
  .object({
    embed_dim: Count,
    depths: z.tuple([Few, Few, Few, Few]),
    focal_levels: Few,
    focal_window: Few,
    hidden_dim: Count,
    heads: Few,
    ffn_dim: Count,
    encoder_layers: Few,
    decoder_layers: Few,
    queries: Few,
    edge_queries: Few,
    text_layers: Few,
    text_width: Count,
    text_heads: Few,
    text_context: Count,
    text_vocabulary: Count,
    image_size: z
      .int()
      .min(64)
      .max(2048)
      .refine((size) => size % 32 === 0, "a multiple of 32"),
    sample_ratio: z.number().gt(0).max(1),
    base_temperature: z.number().positive(),
  })
  .partial();

/**
 * Reads the `config` object of a network's description. Keys that do not change the network at inference are ignored.
 *
 * @throws ModelBundleError where it is not one
 */
export function parseNetworkConfig(document: unknown): Partial<NetworkConfig> {
  const parsed = ConfigFile.safeParse(document);
  if (!parsed.success) {
    const reason = `is not a network's configuration; give the sizes as upstream names them:\n${z.prettifyError(parsed.error)}`;
    throw new ModelBundleError("config", reason, { cause: parsed.error });
  }
  const renamed = Object.entries(parsed.data).map(([key, value]) => [camelCase(key), value]);
  return Object.fromEntries(renamed) as Partial<NetworkConfig>;
}

function camelCase(key: string): string {
  return key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
