import type { BundleManifest } from "#models/index.ts";
import type { ImageModel, ImageView } from "./image-model.ts";
import {
  emptyLogits,
  type ImageLogits,
  imageNetwork,
  type NetworkOptions,
  type PaddedPrompt,
  scatter,
} from "./image-network.ts";
import type { ModelVolume } from "./model-volume.ts";

/** A prompt, and the pictures that it is asked on. */
export interface AskedPrompt extends PaddedPrompt {
  readonly volume: ModelVolume;
}

/** Prompts that are asked together. */
export interface PromptSet {
  readonly prompts: readonly AskedPrompt[];
  readonly options?: NetworkOptions;
}

/**
 * What the network says of `count` slices from `first` on: set by set, in their order, and of each set an answer for each of
 * its seeds.
 */
export type SliceNetwork = (first: number, count: number) => AsyncGenerator<readonly ImageLogits[], void, void>;

/**
 * Shows the network each slice once for every picture that prompts are asked on, whichever set they are of: those that see
 * the volume through one window share the look, and those of one padded length a run.
 *
 * @param most slices of a batch
 */
export function sliceNetwork(
  model: ImageModel,
  sets: readonly PromptSet[],
  manifest: BundleManifest,
  most: number,
): SliceNetwork {
  const { imageSize, maskStride } = manifest;
  const channels = 3 * imageSize * imageSize;
  const maskPixels = (imageSize / maskStride) ** 2;
  const grouped = sets.map(({ prompts, options }) =>
    [...Map.groupBy(prompts.keys(), (index) => prompts[index]!.volume)].map(([volume, members]) => {
      const asked = members.map((index) => prompts[index]!);
      return { volume, members, ...imageNetwork(asked, manifest, options) };
    }),
  );
  const unused: Float32Array[] = [];
  const questionsOn = (volume: ModelVolume) =>
    grouped.flat().reduce((sum, one) => sum + (one.volume === volume ? one.questions : 0), 0);

  async function look(volume: ModelVolume, images: Float32Array, first: number, count: number): Promise<ImageView> {
    for (let s = 0; s < count; s++) volume.input.writeChannels(first + s, images, s * channels);
    return model.look(images.subarray(0, count * channels), count, questionsOn(volume));
  }

  return async function* (first, count) {
    const views = new Map<ModelVolume, ImageView>();
    const pictures: Float32Array[] = [];
    const viewOf = async (volume: ModelVolume) => {
      const known = views.get(volume);
      if (known) return known;
      const images = unused.pop() ?? new Float32Array(most * channels);
      pictures.push(images);
      const view = await look(volume, images, first, count);
      views.set(volume, view);
      return view;
    };
    for (const [n, { prompts, options }] of sets.entries()) {
      const seeds = Math.max(1, options?.seeds?.length ?? 1);
      const together = Array.from({ length: seeds }, () =>
        emptyLogits(count * prompts.length, maskPixels, options?.edges ?? false),
      );
      for (const { volume, members, answer } of grouped[n]!) {
        for (const [seed, logits] of (await answer(await viewOf(volume), count)).entries())
          scatter(logits, together[seed]!, count, members, prompts.length, maskPixels);
      }
      yield together;
    }
    unused.push(...pictures);
  };
}
