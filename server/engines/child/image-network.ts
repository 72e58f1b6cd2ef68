import { Tensor } from "onnxruntime-node";
import { type BundleManifest, IMAGE_GRAPH } from "#models/index.ts";
import { ModelUnavailableError } from "../../domain/errors.ts";
import type { ImageView } from "./image-model.ts";
import { outputOf, type Tensors } from "./onnx-runtime.ts";
import { inGroups, RunBudget } from "./run-budget.ts";
import type { PromptEmbedding } from "./text-encoder.ts";

/** The network's answer for a batch of slices. */
export interface ImageLogits {
  /** [slices, prompts, M, M] with M = imageSize / maskStride */
  readonly masks: Float32Array;
  /** [slices, prompts] */
  readonly existence: Float32Array;
  /** As `masks`; only where edges were asked for. A network that tells none has 0 everywhere, which is no edge. */
  readonly edges?: Float32Array;
}

/** A prompt as the network is asked it: its tokens, and the length that they are filled up to with zeros. */
export interface PaddedPrompt {
  readonly embedding: PromptEmbedding;
  /** What an answer depends on beside the prompt itself: prompts of one length share a run. */
  readonly paddedTo: number;
}

export interface NetworkOptions {
  /** One answer for each; the manifest's own noise where left out. */
  readonly seeds?: readonly number[];
  readonly edges?: boolean;
  /** Shared by all that runs on one device. */
  readonly budget?: RunBudget;
}

/** Answers of slices that are looked at: one for each seed. */
export type ImageNetwork = (view: ImageView, slices: number) => Promise<readonly ImageLogits[]>;

/**
 * Prompts of one run at most. What attention needs grows with them: 32 at once took 0.25 GB more than four times 8, and were no
 * cheaper (docs/medimageparse3d.md).
 */
export const MOST_PROMPTS = 8;

/** The image model with its prompts set; `questions`: how often it asks a view. */
export function imageNetwork(
  prompts: readonly PaddedPrompt[],
  manifest: Pick<BundleManifest, "imageSize" | "maskStride" | "hiddenDim">,
  { seeds = [], edges = false, budget = new RunBudget({ slices: 1, prompts: MOST_PROMPTS }) }: NetworkOptions = {},
): { readonly questions: number; readonly answer: ImageNetwork } {
  const { imageSize, maskStride, hiddenDim } = manifest;
  const maskPixels = (imageSize / maskStride) ** 2;
  const ofOneLength = [...Map.groupBy(prompts.keys(), (index) => prompts[index]!.paddedTo).values()];
  const groups = () => ofOneLength.flatMap((members) => inGroups(members, budget.prompts));
  const noises = seeds.length > 0 ? seeds : [undefined];
  const answer: ImageNetwork = async (view, slices) => {
    const answers: ImageLogits[] = [];
    for (const seed of noises) {
      const all = emptyLogits(slices * prompts.length, maskPixels, edges);
      const waiting = [...groups()];
      for (let members = waiting.shift(); members; members = waiting.shift()) {
        const own = members.map((index) => prompts[index]!);
        try {
          const outputs = await view.ask(stack(own, hiddenDim), seed);
          const read = readLogits(outputs, slices * members.length, maskPixels, edges);
          scatter(read, all, slices, members, prompts.length, maskPixels);
        } catch (error) {
          budget.halve("prompts", members.length, error);
          waiting.unshift(...inGroups(members, budget.prompts));
        }
      }
      answers.push(all);
    }
    return answers;
  };
  return { questions: groups().length * noises.length, answer };
}

/** Prompts with the lengths that they are padded to, as the manifest says: all to the longest, or each to its own. */
export function padPrompts(
  embeddings: readonly PromptEmbedding[],
  { padding }: Pick<BundleManifest, "padding">,
): readonly PaddedPrompt[] {
  const longest = Math.max(...embeddings.map(({ tokens }) => tokens));
  return embeddings.map((embedding) => ({
    embedding,
    paddedTo: padding === "isolate" ? embedding.tokens : longest,
  }));
}

/** Copies the answers of some prompts, on `slices` slices from `firstSlice` on, to their places among all. */
export function scatter(
  from: ImageLogits,
  to: ImageLogits,
  slices: number,
  members: readonly number[],
  prompts: number,
  maskPixels: number,
  firstSlice = 0,
): void {
  for (let slice = 0, m = 0; slice < slices; slice++) {
    for (const prompt of members) {
      const place = (firstSlice + slice) * prompts + prompt;
      to.masks.set(from.masks.subarray(m * maskPixels, (m + 1) * maskPixels), place * maskPixels);
      if (from.edges) to.edges?.set(from.edges.subarray(m * maskPixels, (m + 1) * maskPixels), place * maskPixels);
      to.existence[place] = from.existence[m++]!;
    }
  }
}

export function emptyLogits(answers: number, maskPixels: number, edges: boolean): ImageLogits {
  return {
    masks: new Float32Array(answers * maskPixels),
    existence: new Float32Array(answers),
    ...(edges && { edges: new Float32Array(answers * maskPixels) }),
  };
}

function readLogits(outputs: Tensors, answers: number, maskPixels: number, edges: boolean): ImageLogits {
  const read = (name: string, length: number) => {
    const values = outputOf(outputs, name, Float32Array, length);
    if (allFinite(values)) return values;
    throw new ModelUnavailableError(
      "The network answered with numbers that are none (NaN): its weights are damaged. Install the model again.",
      { retryable: false },
    );
  };
  const existence = read(IMAGE_GRAPH.existenceLogits.name, answers);
  const masks = read(IMAGE_GRAPH.maskLogits.name, answers * maskPixels);
  const { name } = IMAGE_GRAPH.edgeLogits;
  return { masks, existence, ...(edges && name in outputs && { edges: read(name, answers * maskPixels) }) };
}

function allFinite(values: Float32Array): boolean {
  for (let n = 0; n < values.length; n++) if (!Number.isFinite(values[n])) return false;
  return true;
}

/** [L, P, hiddenDim] with L what the prompts are padded to. */
function stack(prompts: readonly PaddedPrompt[], hiddenDim: number): Tensor {
  const length = prompts[0]?.paddedTo ?? 0;
  const values = new Float32Array(length * prompts.length * hiddenDim);
  for (const [p, { embedding }] of prompts.entries()) {
    for (let token = 0; token < embedding.tokens; token++) {
      const row = embedding.values.subarray(token * hiddenDim, (token + 1) * hiddenDim);
      values.set(row, (token * prompts.length + p) * hiddenDim);
    }
  }
  return new Tensor(IMAGE_GRAPH.textTokens.dtype, values, [length, prompts.length, hiddenDim]);
}
