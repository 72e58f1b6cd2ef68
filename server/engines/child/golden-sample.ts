import { type BundleManifest, type ClipTokenizer, goldenDifference, goldenImage } from "#models/index.ts";
import { ModelUnavailableError } from "../../domain/errors.ts";
import type { ImageModel } from "./image-model.ts";
import { imageNetwork, padPrompts } from "./image-network.ts";
import type { TextEncoder } from "./text-encoder.ts";

/**
 * Asks the bundle the question that its manifest knows the answer to.
 * @throws ModelUnavailableError where the answer differs: graphs, weights or this machine's arithmetic are not what they were
 */
export async function checkGoldenSample(
  manifest: BundleManifest,
  tokenizer: ClipTokenizer,
  text: TextEncoder,
  image: ImageModel,
): Promise<void> {
  const { golden } = manifest;
  for (const [p, prompt] of golden.prompts.entries()) {
    if (String(tokenizer.encode(prompt)) !== String(golden.inputIds[p])) {
      throw mismatch(manifest, `its prompt ${p + 1} becomes other tokens`);
    }
  }
  const embeddings = await text.embedTokens(golden.inputIds);
  const prompts = padPrompts(embeddings, { padding: "zeros-unmasked" });
  const { answer } = imageNetwork(prompts, manifest);
  const [logits] = await answer(await image.look(goldenImage(manifest), 1, 1), 1);
  const difference = goldenDifference(manifest, { maskLogits: logits!.masks, existenceLogits: logits!.existence });
  if (!(difference <= golden.tolerance)) {
    throw mismatch(manifest, `a logit is off by ${difference.toPrecision(3)}; ${golden.tolerance} is allowed`);
  }
}

function mismatch({ name }: BundleManifest, how: string): ModelUnavailableError {
  return new ModelUnavailableError(
    `The model ${name} does not answer its own golden sample as it should: ${how}. Its files are damaged, or this machine computes otherwise than the one that made it: install the model again, or choose another execution provider.`,
    { retryable: false },
  );
}
