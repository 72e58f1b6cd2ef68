/** onnxruntime-node by itself on a bundle's image graphs: the loop that somebody would write who has the tensors already. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { BundleManifest, IMAGE_GRAPH, layerNoise, NOISE_INPUT } from "#models/index.ts";
import { peakMiBOf } from "../peak-memory.ts";

/** What it prints: seconds of the second pass over the slices, and its peak memory. */
export interface BareLoopSample {
  readonly seconds: number;
  readonly peakMiB: number;
}

const [folder = "", slices = "", prompts = "", tokens = "", threads = ""] = process.argv.slice(2);
const manifest = BundleManifest.parse(JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")));
const { imageSize, hiddenDim, sampling, files } = manifest;
const noise = sampling.mode === "frozen" ? (sampling.noise ?? []) : [];
const open = (file: { readonly name: string }) =>
  InferenceSession.create(join(folder, file.name), {
    executionProviders: ["cpu"],
    intraOpNumThreads: Number(threads),
    logSeverityLevel: 3,
  });
const encoder = await open(files.imageEncoder!);
const decoder = await open(files.promptDecoder!);
const numbers = (length: number, scale: number) =>
  Float32Array.from({ length }, (_, n) => ((Math.imul(n, 0x9e3779b9) >>> 8) / 2 ** 24) * scale);
const count = (dims: readonly number[]) => dims.reduce((product, length) => product * length, 1);
const images = Array.from(
  { length: Number(slices) },
  () => new Tensor("float32", numbers(3 * imageSize ** 2, 255), [1, 3, imageSize, imageSize]),
);
const words = [Number(tokens), Number(prompts), hiddenDim];
const fixed = {
  [IMAGE_GRAPH.textTokens.name]: new Tensor("float32", numbers(count(words), 1), words),
  ...Object.fromEntries(
    noise.map((dims, layer) => [
      `${NOISE_INPUT}${layer}`,
      new Tensor("float32", layerNoise(sampling.mode === "frozen" ? sampling.seed : 0, layer, count(dims)), dims),
    ]),
  ),
};

async function pass(): Promise<number> {
  const begun = performance.now();
  for (const image of images) {
    const features = await encoder.run({ [IMAGE_GRAPH.image.name]: image });
    const { mask_logits } = await decoder.run({ ...features, ...fixed });
    if (!Number.isFinite((mask_logits!.data as Float32Array)[0])) throw new Error("no number");
  }
  return (performance.now() - begun) / 1000;
}

await pass();
const sample: BareLoopSample = { seconds: await pass(), peakMiB: peakMiBOf(process.pid) };
console.log(JSON.stringify(sample));
