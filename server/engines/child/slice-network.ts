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
import type { RunBudget } from "./run-budget.ts";

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

/** Slices of a batch that are looked at together. */
interface Look {
  /** Counted from the batch's first. */
  readonly at: number;
  readonly count: number;
  view?: ImageView;
}

/**
 * Shows the network each slice once for every picture that prompts are asked on, whichever set they are of: those that see
 * the volume through one window share the look, and those of one padded length a run. Pictures are made before the device is
 * asked for, so that it can be busy with other slices meanwhile.
 *
 * @param most slices of a batch
 */
export function sliceNetwork(
  model: ImageModel,
  sets: readonly PromptSet[],
  manifest: BundleManifest,
  most: number,
  budget: RunBudget,
): SliceNetwork {
  const { imageSize, maskStride } = manifest;
  const channels = 3 * imageSize * imageSize;
  const maskPixels = (imageSize / maskStride) ** 2;
  const grouped = sets.map(({ prompts, options }) =>
    [...Map.groupBy(prompts.keys(), (index) => prompts[index]!.volume)].map(([volume, members]) => {
      const asked = members.map((index) => prompts[index]!);
      return { volume, members, ...imageNetwork(asked, manifest, { ...options, budget }) };
    }),
  );
  const unused: Float32Array[] = [];
  const questionsOn = (volume: ModelVolume) =>
    grouped.flat().reduce((sum, one) => sum + (one.volume === volume ? one.questions : 0), 0);
  const isAskedAfter = (set: number, volume: ModelVolume) =>
    grouped.slice(set + 1).some((groups) => groups.some((group) => group.volume === volume));

  return async function* (first, count) {
    const pictures = new Map<ModelVolume, { readonly images: Float32Array; readonly looks: Look[] }>();
    const pictureOf = (volume: ModelVolume) => {
      const known = pictures.get(volume);
      if (known) return known;
      const images = unused.pop() ?? new Float32Array(most * channels);
      for (let s = 0; s < count; s++) volume.input.writeChannels(first + s, images, s * channels);
      const picture = { images, looks: inLooks(0, count, budget.slices) };
      pictures.set(volume, picture);
      return picture;
    };
    const [firstAsked] = grouped.flat();
    if (firstAsked) pictureOf(firstAsked.volume);
    using _turn = await model.turn?.();
    try {
      for (const [n, { prompts, options }] of sets.entries()) {
        const seeds = Math.max(1, options?.seeds?.length ?? 1);
        const together = Array.from({ length: seeds }, () =>
          emptyLogits(count * prompts.length, maskPixels, options?.edges ?? false),
        );
        for (const { volume, members, answer } of grouped[n]!) {
          const { images, looks } = pictureOf(volume);
          for (let l = 0; l < looks.length; ) {
            const look = looks[l]!;
            const { at, count } = look;
            try {
              const seen = images.subarray(at * channels, (at + count) * channels);
              look.view ??= await model.look(seen, count, questionsOn(volume));
              for (const [seed, logits] of (await answer(look.view, count)).entries())
                scatter(logits, together[seed]!, count, members, prompts.length, maskPixels, at);
              if (!isAskedAfter(n, volume)) closeLook(look);
              l++;
            } catch (error) {
              closeLook(look);
              budget.halve("slices", count, error);
              looks.splice(l, 1, ...inLooks(at, count, budget.slices));
            }
          }
        }
        yield together;
      }
    } finally {
      for (const { looks } of pictures.values()) for (const look of looks) closeLook(look);
      unused.push(...[...pictures.values()].map(({ images }) => images));
    }
  };
}

function inLooks(at: number, count: number, most: number): Look[] {
  const sizes = Array.from({ length: Math.ceil(count / most) }, (_, n) => Math.min(most, count - n * most));
  return sizes.map((size, n) => ({ at: at + n * most, count: size }));
}

function closeLook(look: Look): void {
  look.view?.close();
  delete look.view;
}
