import { Tensor } from "onnxruntime-node";
import { type BundleManifest, IMAGE_GRAPH } from "#models/index.ts";
import { ModelUnavailableError } from "../../domain/errors.ts";
import { type OnnxSession, outputOf } from "./onnx-runtime.ts";
import type { PromptEmbedding } from "./text-encoder.ts";

/** The network's answer for a batch of slices. */
export interface ImageLogits {
  /** [slices, prompts, M, M] with M = imageSize / maskStride */
  readonly masks: Float32Array;
  /** [slices, prompts] */
  readonly existence: Float32Array;
}

/** Runs the image graph; `images` holds [slices, 3, imageSize, imageSize] grey values. */
export type ImageNetwork = (images: Float32Array, slices: number) => Promise<ImageLogits>;

/**
 * The image graph with its prompts set. Prompts share a run as `padding` says: all of them, the shorter ones filled up with
 * zero tokens; or only those of equal length, so that none depends on its neighbours.
 */
export function imageNetwork(
  session: OnnxSession,
  prompts: readonly PromptEmbedding[],
  { imageSize, maskStride, hiddenDim, padding }: BundleManifest,
): ImageNetwork {
  const maskPixels = (imageSize / maskStride) ** 2;
  const all = prompts.map((_, index) => index);
  const groups = padding === "isolate" ? [...Map.groupBy(all, (index) => prompts[index]!.tokens).values()] : [all];
  const batches = groups.map((members) => ({
    members,
    textTokens: stack(
      members.map((index) => prompts[index]!),
      hiddenDim,
    ),
  }));
  return async (images, slices) => {
    const image = new Tensor(IMAGE_GRAPH.image.dtype, images, [slices, 3, imageSize, imageSize]);
    const masks = new Float32Array(slices * prompts.length * maskPixels);
    const existence = new Float32Array(slices * prompts.length);
    for (const { members, textTokens } of batches) {
      const outputs = await session.run({ [IMAGE_GRAPH.image.name]: image, [IMAGE_GRAPH.textTokens.name]: textTokens });
      const answers = slices * members.length;
      const maskLogits = outputOf(outputs, IMAGE_GRAPH.maskLogits.name, Float32Array, answers * maskPixels);
      const existenceLogits = outputOf(outputs, IMAGE_GRAPH.existenceLogits.name, Float32Array, answers);
      if (!allFinite(existenceLogits) || !allFinite(maskLogits)) {
        throw new ModelUnavailableError(
          "The network answered with numbers that are none (NaN): its weights are damaged. Install the model again.",
          { retryable: false },
        );
      }
      for (let slice = 0, m = 0; slice < slices; slice++) {
        for (const prompt of members) {
          const to = slice * prompts.length + prompt;
          masks.set(maskLogits.subarray(m * maskPixels, (m + 1) * maskPixels), to * maskPixels);
          existence[to] = existenceLogits[m++]!;
        }
      }
    }
    return { masks, existence };
  };
}

function allFinite(values: Float32Array): boolean {
  for (let n = 0; n < values.length; n++) if (!Number.isFinite(values[n])) return false;
  return true;
}

/** [L, P, hiddenDim] with L the longest prompt; what is left of shorter ones is zero. */
function stack(prompts: readonly PromptEmbedding[], hiddenDim: number): Tensor {
  const longest = Math.max(...prompts.map(({ tokens }) => tokens));
  const values = new Float32Array(longest * prompts.length * hiddenDim);
  for (const [p, prompt] of prompts.entries()) {
    for (let token = 0; token < prompt.tokens; token++) {
      const row = prompt.values.subarray(token * hiddenDim, (token + 1) * hiddenDim);
      values.set(row, (token * prompts.length + p) * hiddenDim);
    }
  }
  return new Tensor(IMAGE_GRAPH.textTokens.dtype, values, [longest, prompts.length, hiddenDim]);
}
