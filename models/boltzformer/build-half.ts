import { mkdir, open, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BundleManifest } from "../contract.ts";
import { goldenImage } from "../golden-sample.ts";
import { encodeModel, type OnnxModel } from "../onnx/model.ts";
import { writeChunks } from "../onnx/write-file.ts";
import { askNetwork } from "./ask-network.ts";
import { type BoltzFormerOptions, buildBoltzFormer } from "./build.ts";
import { writeTokenizer } from "./bundle-tokenizer.ts";
import { makeGoldenSample } from "./golden-sample.ts";
import { halfPrecision } from "./half-precision.ts";
import { HalfWeights } from "./half-weights.ts";
import { imageEncoder, imageModel, promptDecoder } from "./image-model.ts";
import { describeNetwork } from "./network-weights.ts";
import { describeFile } from "./place-weights.ts";
import { textModel } from "./text-encoder.ts";
import { openFile } from "./weights/byte-source.ts";
import { openWeights } from "./weights/weights-file.ts";

const WEIGHTS = "weights.float16.bin";

/**
 * The bundle in float16: built in float32 first, for its answers to be compared with, in a folder that goes again. Its weights
 * are a file of their own. @throws as `buildBoltzFormer` does
 */
export async function buildHalfBoltzFormer(options: BoltzFormerOptions): Promise<BundleManifest> {
  const { weights: path, folder, seed = 0, signal, run } = options;
  const fullFolder = join(folder, ".float32");
  await mkdir(fullFolder);
  const full = await buildBoltzFormer({ ...options, folder: fullFolder, move: false });
  signal?.throwIfAborted();

  const network = describeNetwork(await openWeights(path), options.config);
  const graphWeights = { ...network, file: WEIGHTS };
  const placing = new HalfWeights(WEIGHTS);
  const write = (name: string, model: OnnxModel) =>
    writeChunks(join(folder, name), encodeModel(halfPrecision(model, placing)));
  const { tokenizer, file: tokenizerFile } = await writeTokenizer(folder, network.config, options.tokenizer);
  const graphs = {
    textEncoder: await write("text_encoder.onnx", textModel(graphWeights)),
    imageModel: await write("image_model.onnx", imageModel(graphWeights, seed)),
    imageEncoder: await write("image_encoder.onnx", imageEncoder(graphWeights)),
    promptDecoder: await write("prompt_decoder.onnx", promptDecoder(graphWeights)),
    ...(tokenizerFile && { tokenizer: tokenizerFile }),
  };
  {
    await using source = await openFile(path);
    await using file = await open(join(folder, WEIGHTS), "wx");
    for await (const bytes of placing.bytes(source)) {
      signal?.throwIfAborted();
      await file.writeFile(bytes);
    }
  }
  const files = { ...graphs, weights: [await describeFile(join(folder, WEIGHTS), { signal })] };

  const golden = await makeGoldenSample(folder, { ...full, files }, tokenizer, run);
  const image = goldenImage({ golden, imageSize: full.imageSize });
  const answer = (where: string, manifest: Pick<BundleManifest, "files">) =>
    askNetwork(where, { ...full, ...manifest }, golden.inputIds, image, run);
  const [ours, theirs] = [await answer(folder, { files }), await answer(fullFolder, full)];
  const agreement = {
    on: "onnxruntime on a CPU",
    maskLogits: compareLogits(ours.maskLogits, theirs.maskLogits),
    samePixels: shareOfSameSide(ours.maskLogits, theirs.maskLogits),
    existenceLogits: { largest: compareLogits(ours.existenceLogits, theirs.existenceLogits).largest },
  };
  await rm(fullFolder, { recursive: true });
  const manifest = BundleManifest.parse({
    ...full,
    ...(options.name === undefined && { name: `${full.name}-float16` }),
    title: `${full.title}, float16`,
    precision: { kind: "float16", agreement },
    files,
    golden,
  });
  await writeFile(join(folder, "manifest.json"), `${JSON.stringify(manifest, undefined, 2)}\n`, { flag: "wx" });
  if (options.move) await rm(path);
  return manifest;
}

function compareLogits(ours: Float32Array, theirs: Float32Array) {
  let [largest, sum, total, squares] = [0, 0, 0, 0];
  for (let n = 0; n < theirs.length; n++) {
    const difference = Math.abs(ours[n]! - theirs[n]!);
    largest = Math.max(largest, difference);
    sum += difference;
    total += theirs[n]!;
    squares += theirs[n]! ** 2;
  }
  const mean = total / theirs.length;
  return {
    largest,
    mean: sum / theirs.length,
    spread: Math.sqrt(Math.max(0, squares / theirs.length - mean ** 2)),
  };
}

function shareOfSameSide(ours: Float32Array, theirs: Float32Array): number {
  let same = 0;
  for (let n = 0; n < theirs.length; n++) if (ours[n]! > 0 === theirs[n]! > 0) same++;
  return same / theirs.length;
}
