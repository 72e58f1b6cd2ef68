import type { BundleManifest } from "#models/index.ts";
import { type ImageLogits, imageNetwork } from "./image-network.ts";
import type { ModelVolume } from "./model-volume.ts";
import type { OnnxSession } from "./onnx-runtime.ts";
import type { PromptEmbedding } from "./text-encoder.ts";

/** What the network says of `count` slices from `first` on to all prompts of a question, in their order. */
export type SliceNetwork = (first: number, count: number) => Promise<ImageLogits>;

/**
 * Shows the network each slice once for every picture that the prompts are asked on: those that see the volume through one
 * window share a run (and so depend on each other where the manifest's padding lets them), the others do not.
 *
 * @param volumes the one that each prompt is asked on; all on the same grid, so that their masks can be merged
 * @param most slices of a batch
 */
export function sliceNetwork(
  session: OnnxSession,
  volumes: readonly ModelVolume[],
  embeddings: readonly PromptEmbedding[],
  manifest: BundleManifest,
  most: number,
): SliceNetwork {
  const { imageSize, maskStride } = manifest;
  const channels = 3 * imageSize * imageSize;
  const maskPixels = (imageSize / maskStride) ** 2;
  const groups = [...Map.groupBy(volumes.keys(), (prompt) => volumes[prompt]!)].map(([{ input }, members]) => {
    const asked = members.map((prompt) => embeddings[prompt]!);
    return { input, members, network: imageNetwork(session, asked, manifest) };
  });
  const images = new Float32Array(most * channels);

  const answerOf = async ({ input, network }: (typeof groups)[number], first: number, count: number) => {
    for (let s = 0; s < count; s++) input.writeChannels(first + s, images, s * channels);
    return network(images.subarray(0, count * channels), count);
  };
  return async (first, count) => {
    if (groups.length === 1) return answerOf(groups[0]!, first, count);
    const masks = new Float32Array(count * volumes.length * maskPixels);
    const existence = new Float32Array(count * volumes.length);
    for (const group of groups) {
      const answer = await answerOf(group, first, count);
      for (let slice = 0, m = 0; slice < count; slice++) {
        for (const prompt of group.members) {
          const to = slice * volumes.length + prompt;
          masks.set(answer.masks.subarray(m * maskPixels, (m + 1) * maskPixels), to * maskPixels);
          existence[to] = answer.existence[m++]!;
        }
      }
    }
    return { masks, existence };
  };
}
