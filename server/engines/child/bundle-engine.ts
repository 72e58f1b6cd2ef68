import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { sliceOutput } from "#converters/pixels/index.ts";
import {
  type BundleManifest,
  type ClipTokenizer,
  createClipTokenizer,
  huggingFaceVocabulary,
  type InstalledBundle,
} from "#models/index.ts";
import { InvalidPromptError } from "../../domain/errors.ts";
import { knownTarget } from "../known-target.ts";
import type { Begin, Load } from "../protocol.ts";
import type { ChildEngine, Reply } from "./engine.ts";
import { checkGoldenSample } from "./golden-sample.ts";
import type { ModelVolume } from "./model-volume.ts";
import { openOnnxRuntime } from "./onnx-runtime.ts";
import { planeSink } from "./plane-sink.ts";
import { resampledSink } from "./resampled-sink.ts";
import { type SliceNetwork, sliceNetwork } from "./slice-network.ts";
import { TextEncoder } from "./text-encoder.ts";
import { type WindowedVolumes, windowedVolumes, windowsOf } from "./windowed-volumes.ts";

/**
 * Runs any bundle that meets the contract, slice by slice. On a CT each prompt sees the window of the target that it names;
 * prompts of different windows are merged like any others, since their masks stand on the same pictures' grid.
 * @throws ModelUnavailableError where its files do not load or do not answer the golden sample
 */
export async function openBundleEngine({ folder, manifest }: InstalledBundle, load: Load): Promise<ChildEngine> {
  const runtime = await openOnnxRuntime(load);
  const tokenizer = await openTokenizer(folder, manifest);
  const text = new TextEncoder(await runtime.open(join(folder, manifest.files.textEncoder.name)), tokenizer, manifest);
  const image = await runtime.open(join(folder, manifest.files.imageModel.name));
  await checkGoldenSample(manifest, tokenizer, text, image);
  const overlong = ({ prompts }: Begin) =>
    prompts.filter((prompt) => tokenizer.countTokens(prompt.text) > manifest.contextLength);
  let prepared: { readonly key: string; readonly views: WindowedVolumes } | undefined;
  const viewsOf = ({ volume }: Begin): WindowedVolumes => (prepared?.key === volume.key ? prepared.views : new Map());

  return {
    provider: runtime.provider,
    check(question) {
      const [first] = overlong(question);
      if (!first || manifest.overlongPrompts === "cut") return;
      throw new InvalidPromptError(
        `A prompt has ${tokenizer.countTokens(first.text)} tokens; the model ${manifest.name} reads ${manifest.contextLength}. Name one thing in a few words.`,
      );
    },
    needsVoxels: (question) => windowsOf(question, manifest).some((window) => !viewsOf(question).has(window)),
    async prepare(question, voxels, reply) {
      const known = viewsOf(question);
      prepared = undefined;
      await reply.progress("prepare", 0.5);
      prepared = { key: question.volume.key, views: windowedVolumes(voxels, question, manifest, known) };
    },
    async answer(question, reply) {
      const cut = overlong(question).length;
      if (cut > 0)
        await reply.note(`${cut} prompt(s) were cut to the ${manifest.contextLength} tokens that the model reads.`);
      const embeddings = [];
      for (const prompt of question.prompts) embeddings.push(await text.embed(wordsFor(prompt.text, manifest)));
      await reply.progress("prepare", 1);
      const views = viewsOf(question);
      const volumes = windowsOf(question, manifest).map((window) => views.get(window)!);
      const sliceBatch = Math.min(load.sliceBatch, volumes[0]!.input.planes);
      const network = sliceNetwork(image, volumes, embeddings, manifest, sliceBatch);
      await answerSlices(volumes[0]!, network, question, manifest, sliceBatch, reply);
    },
  };
}

/** What the network is asked: of a closed vocabulary the target's own name, however it was spelled. */
function wordsFor(text: string, { vocabulary, targets }: BundleManifest): string {
  return vocabulary === "closed" ? knownTarget(text, targets).name : text;
}

async function openTokenizer(folder: string, { files, contextLength }: BundleManifest): Promise<ClipTokenizer> {
  if (!files.tokenizer) return createClipTokenizer({ contextLength });
  const document: unknown = JSON.parse(await readFile(join(folder, files.tokenizer.name), "utf8"));
  return createClipTokenizer({ contextLength, vocabulary: huggingFaceVocabulary(document) });
}

async function answerSlices(
  volume: ModelVolume,
  network: SliceNetwork,
  question: Begin,
  { imageSize, maskStride, nearest, thresholds }: BundleManifest,
  sliceBatch: number,
  reply: Reply,
): Promise<void> {
  const { input, plane, resampledFrom } = volume;
  const { merge, probabilities, prompts } = question;
  const logitSize = imageSize / maskStride;
  const toPlanes = sliceOutput({
    plane,
    imageSize,
    logitSize,
    nearest,
    prompts: prompts.length,
    merge,
    thresholds,
    probabilities,
  });
  const sink = resampledFrom
    ? resampledSink(volume, resampledFrom, question, reply)
    : planeSink(volume, question, reply);
  const masksOfSlice = prompts.length * logitSize * logitSize;
  await reply.progress("infer", 0);
  for (let first = 0; first < input.planes; first += sliceBatch) {
    const slices = Math.min(sliceBatch, input.planes - first);
    const { masks, existence } = await network(first, slices);
    for (let s = 0; s < slices; s++) {
      const answers = toPlanes(
        masks.subarray(s * masksOfSlice, (s + 1) * masksOfSlice),
        existence.subarray(s * prompts.length, (s + 1) * prompts.length),
      );
      await sink.take(first + s, answers);
    }
    await reply.progress("infer", (first + slices) / input.planes);
  }
  await sink.end();
}
