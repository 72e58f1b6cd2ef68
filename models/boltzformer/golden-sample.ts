import type { ClipTokenizer } from "../clip/clip-tokenizer.ts";
import type { BundleManifest, GoldenSample } from "../contract.ts";
import { goldenImage } from "../golden-sample.ts";
import { askNetwork, type RunnableBundle } from "./ask-network.ts";
import type { GraphRunner } from "./graph-runner.ts";
import { uniformNoise } from "./noise.ts";

const PROMPTS = ["CT imaging of the spleen within the abdomen", "gallbladder in abdomen MRI"] as const;
const BLOCKS_A_SIDE = 16;
const PICKED_PIXELS = 32;
/**
 * Of logits that spread over several units. Float32 on other processors differs by 1e-3; a processor that computes in less
 * than float32 by default, or draws that fall on the other side of the noise, make more; damaged weights far more.
 */
const TOLERANCE = 0.25;

/** A question of our own, and what the graphs answer to it on the machine that builds the bundle. */
export async function makeGoldenSample(
  folder: string,
  bundle: RunnableBundle & Pick<BundleManifest, "imageSize">,
  tokenizer: ClipTokenizer,
  run: GraphRunner,
): Promise<GoldenSample> {
  const question = {
    prompts: PROMPTS,
    inputIds: PROMPTS.map((prompt) => tokenizer.encode(prompt)),
    blocks: Array.from({ length: BLOCKS_A_SIDE }, (_, row) => [
      ...uniformNoise(`golden.${row}`, BLOCKS_A_SIDE).map((share) => Math.floor(share * 256)),
    ]),
    tolerance: TOLERANCE,
  };
  const unanswered = { ...question, existenceLogits: [], maskLogits: [] };
  const image = goldenImage({ golden: unanswered, imageSize: bundle.imageSize });
  const { maskLogits, existenceLogits } = await askNetwork(folder, bundle, question.inputIds, image, run);
  const side = bundle.imageSize / bundle.maskStride;
  const places = uniformNoise("golden.pixels", 2 * PICKED_PIXELS).map((share) => Math.floor(share * side));
  return {
    ...question,
    existenceLogits: [...existenceLogits],
    maskLogits: Array.from({ length: PICKED_PIXELS }, (_, n) => {
      const [prompt, row, column] = [n % PROMPTS.length, places[2 * n] ?? 0, places[2 * n + 1] ?? 0];
      return { prompt, row, column, logit: maskLogits[(prompt * side + row) * side + column] ?? Number.NaN };
    }),
  };
}
