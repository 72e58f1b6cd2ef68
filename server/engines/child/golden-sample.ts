import { type BundleManifest, type ClipTokenizer, goldenDifference, goldenImage } from "#models/index.ts";
import { ModelUnavailableError } from "../../domain/errors.ts";
import { imageNetwork } from "./image-network.ts";
import type { OnnxSession } from "./onnx-runtime.ts";
import type { TextEncoder } from "./text-encoder.ts";

/**
 * Asks the bundle the question that its manifest knows the answer to.
 * @throws ModelUnavailableError where the answer differs: graphs, weights or this machine's arithmetic are not what they were
 */
export async function checkGoldenSample(
  manifest: BundleManifest,
  tokenizer: ClipTokenizer,
  text: TextEncoder,
  image: OnnxSession,
): Promise<void> {
  const { golden } = manifest;
  for (const [p, prompt] of golden.prompts.entries()) {
    if (String(tokenizer.encode(prompt)) !== String(golden.inputIds[p])) {
      throw mismatch(manifest, `its prompt ${p + 1} becomes other tokens`);
    }
  }
  const embeddings = [];
  for (const ids of golden.inputIds) embeddings.push(await text.embedTokens(ids));
  const { masks, existence } = await imageNetwork(image, embeddings, manifest)(goldenImage(manifest), 1);
  const difference = goldenDifference(manifest, { maskLogits: masks, existenceLogits: existence });
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
