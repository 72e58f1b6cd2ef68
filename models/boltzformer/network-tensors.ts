import type { NetworkConfig } from "./network-config.ts";

/** Names of the network's parts, as in a checkpoint. */
export const BACKBONE = "backbone";
export const PIXEL_DECODER = "sem_seg_head.pixel_decoder";
export const PREDICTOR = "sem_seg_head.predictor";
export const LANGUAGE = `${PREDICTOR}.language_encoder`;
export const TEXT = `${LANGUAGE}.encoder_transformer`;

type Shape = readonly number[];

/** Every tensor of a network of these sizes, used at inference or not: name -> shape, convolutions as [out, in, rows, columns]. */
export function networkTensors(config: NetworkConfig): ReadonlyMap<string, Shape> {
  return new Map<string, Shape>([
    ["pixel_mean", [1, 3, 1, 1]],
    ["pixel_std", [1, 3, 1, 1]],
    ...backbone(config),
    ...pixelDecoder(config),
    ...language(config),
    ...predictor(config),
  ]);
}

type Named = readonly (readonly [name: string, shape: Shape])[];

/** Channels of a stage of the backbone. */
export function stageChannels({ embedDim }: Pick<NetworkConfig, "embedDim">, stage: number): number {
  return embedDim * 2 ** stage;
}

function backbone(config: NetworkConfig): Named {
  const stages = config.depths.flatMap((depth, stage) => {
    const channels = stageChannels(config, stage);
    const blocks = times(depth, (block) => focalBlock(`${BACKBONE}.layers.${stage}.blocks.${block}`, channels, config));
    const down = `${BACKBONE}.layers.${stage}.downsample`;
    const isLast = stage === config.depths.length - 1;
    const between = [
      ...affine(`${down}.proj`, [2 * channels, channels, 3, 3]),
      ...affine(`${down}.norm`, [2 * channels]),
    ];
    return [...blocks, ...affine(`${BACKBONE}.norm${stage}`, [channels]), ...(isLast ? [] : between)];
  });
  return [
    ...affine(`${BACKBONE}.patch_embed.proj`, [config.embedDim, 3, 7, 7]),
    ...affine(`${BACKBONE}.patch_embed.norm`, [config.embedDim]),
    ...stages,
  ];
}

function focalBlock(name: string, channels: number, { focalLevels, focalWindow }: NetworkConfig): Named {
  return [
    [`${name}.gamma_1`, [channels]],
    [`${name}.gamma_2`, [channels]],
    ...affine(`${name}.norm1`, [channels]),
    ...affine(`${name}.norm2`, [channels]),
    ...affine(`${name}.modulation.f`, [2 * channels + focalLevels + 1, channels]),
    ...affine(`${name}.modulation.h`, [channels, channels, 1, 1]),
    ...affine(`${name}.modulation.proj`, [channels, channels]),
    ...times(focalLevels, (level) => {
      const side = focalWindow + 2 * level;
      return [[`${name}.modulation.focal_layers.${level}.0.weight`, [channels, 1, side, side]]];
    }),
    ...affine(`${name}.mlp.fc1`, [4 * channels, channels]),
    ...affine(`${name}.mlp.fc2`, [channels, 4 * channels]),
  ];
}

function pixelDecoder(config: NetworkConfig): Named {
  const { hiddenDim: c, ffnDim, encoderLayers } = config;
  return [
    ...times(3, (stage) => [
      [`${PIXEL_DECODER}.adapter_${stage + 1}.weight`, [c, stageChannels(config, stage), 1, 1]],
      ...affine(`${PIXEL_DECODER}.adapter_${stage + 1}.norm`, [c]),
    ]),
    ...times(4, (stage) => [
      [`${PIXEL_DECODER}.layer_${stage + 1}.weight`, [c, c, 3, 3]],
      ...affine(`${PIXEL_DECODER}.layer_${stage + 1}.norm`, [c]),
    ]),
    ...affine(`${PIXEL_DECODER}.mask_features`, [c, c, 3, 3]),
    ...affine(`${PIXEL_DECODER}.input_proj`, [c, stageChannels(config, 3), 1, 1]),
    ...times(encoderLayers, (layer) => {
      const name = `${PIXEL_DECODER}.transformer.encoder.layers.${layer}`;
      return [
        ...attention(`${name}.self_attn`, c),
        ...feedForward(name, c, ffnDim),
        ...affine(`${name}.norm1`, [c]),
        ...affine(`${name}.norm2`, [c]),
      ];
    }),
  ];
}

function language({ hiddenDim, textWidth: width, textContext, textVocabulary, textLayers }: NetworkConfig): Named {
  return [
    [`${LANGUAGE}.lang_proj`, [width, hiddenDim]],
    [`${LANGUAGE}.logit_scale`, []],
    [`${TEXT}.positional_embedding`, [textContext, width]],
    [`${TEXT}.token_embedding.weight`, [textVocabulary, width]],
    ...times(textLayers, (layer) => {
      const name = `${TEXT}.resblocks.${layer}`;
      return [
        ...attention(`${name}.attn`, width),
        ...affine(`${name}.ln_1`, [width]),
        ...affine(`${name}.mlp.c_fc`, [4 * width, width]),
        ...affine(`${name}.mlp.c_proj`, [width, 4 * width]),
        ...affine(`${name}.ln_2`, [width]),
      ];
    }),
    ...affine(`${TEXT}.ln_final`, [width]),
  ];
}

function predictor({ hiddenDim: c, ffnDim, decoderLayers, queries }: NetworkConfig): Named {
  const attentionLayer = (name: string, kind: "self_attn" | "multihead_attn") => [
    ...attention(`${name}.${kind}`, c),
    ...affine(`${name}.norm`, [c]),
  ];
  const ffnLayer = (name: string) => [...feedForward(name, c, ffnDim), ...affine(`${name}.norm`, [c])];
  return [
    [`${PREDICTOR}.class_embed`, [c, c]],
    ...attentionLayer(`${PREDICTOR}.initial_self_attention_layer`, "self_attn"),
    ...ffnLayer(`${PREDICTOR}.initial_ffn_layer`),
    ...times(decoderLayers, (layer) => [
      ...attentionLayer(`${PREDICTOR}.transformer_cross_attention_layers.${layer}`, "multihead_attn"),
      ...attentionLayer(`${PREDICTOR}.transformer_self_attention_layers.${layer}`, "self_attn"),
      ...ffnLayer(`${PREDICTOR}.transformer_ffn_layers.${layer}`),
      ...attentionLayer(`${PREDICTOR}.classifier_cross_attention_layers.${layer}`, "multihead_attn"),
      ...ffnLayer(`${PREDICTOR}.classifier_ffn_layers.${layer}`),
    ]),
    ...affine(`${PREDICTOR}.classifier`, [1, c]),
    ...affine(`${PREDICTOR}.decoder_norm`, [c]),
    [`${PREDICTOR}.query_feat_.weight`, [queries, c]],
    [`${PREDICTOR}.query_embed_.weight`, [queries, c]],
    [`${PREDICTOR}.classifier_query.weight`, [1, c]],
    [`${PREDICTOR}.level_embed.weight`, [3, c]],
    ...times(3, (layer) => affine(`${PREDICTOR}.mask_embed.layers.${layer}`, [c, c])),
  ];
}

function affine(name: string, shape: Shape): Named {
  return [
    [`${name}.weight`, shape],
    [`${name}.bias`, shape.slice(0, 1)],
  ];
}

function attention(name: string, c: number): Named {
  return [
    [`${name}.in_proj_weight`, [3 * c, c]],
    [`${name}.in_proj_bias`, [3 * c]],
    ...affine(`${name}.out_proj`, [c, c]),
  ];
}

function feedForward(name: string, c: number, inner: number): Named {
  return [...affine(`${name}.linear1`, [inner, c]), ...affine(`${name}.linear2`, [c, inner])];
}

function times(count: number, make: (n: number) => Named): Named {
  return Array.from({ length: count }, (_, n) => make(n)).flat();
}
