import { access, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { OFFICIAL_CONFIG } from "#models/boltzformer/network-config.ts";
import { networkTensors } from "#models/boltzformer/network-tensors.ts";
import {
  buildBoltzFormer,
  type GraphTensor,
  type InstalledBundle,
  layerNoise,
  NOISE_INPUT,
  openBundle,
  verifyBundle,
} from "#models/index.ts";
import { createBundleModel, openGraphProcess } from "#server/engines/index.ts";
import { median } from "./figure.ts";
import { noisyCt } from "./infer/small-network.ts";
import { writeMadeWeights } from "./made-weights.ts";
import { peakMiBOf } from "./peak-memory.ts";

/*
 * MedImageParse 3D at its real size against numbers of upstream's own code, with made weights: the official ones are not
 * needed. Prints one JSON line; exits with 1 where the agreement is less than it should be.
 */

const ROOT = join(import.meta.dirname, "..");
const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    golden: {
      type: "string",
      default: join(
        process.env.PARSE3D_TEST_DATA ?? join(ROOT, "../shared/data"),
        "boltzformer_golden/full.golden.safetensors",
      ),
    },
    threads: { type: "string", default: "2" },
    runs: { type: "string", default: "5" },
  },
});
const threads = Number(options.threads);
const runs = Number(options.runs);
const rounded = (value: number) => Number(value.toPrecision(3));

const MASK_TOLERANCE = 2e-3;
const EXISTENCE_TOLERANCE = 1e-4;

const cache = join(ROOT, ".cache", "medimageparse3d-made");
const weights = join(cache, "weights.safetensors");
const folder = join(cache, "bundle");
await mkdir(cache, { recursive: true });
await access(weights).catch(async () => {
  note("making the weights, 1.49 GB");
  await writeMadeWeights(weights, Object.fromEntries(networkTensors(OFFICIAL_CONFIG)));
});
note("building the bundle");
await rm(folder, { recursive: true, force: true });
await mkdir(folder);
{
  await using builder = openGraphProcess({ threads });
  await buildBoltzFormer({ weights, folder, run: builder.run });
}
const bundle = await openBundle(folder);
if (bundle.engine !== "bundle") throw new Error("the builder made another kind of model");

note("comparing with upstream's numbers");
const network = openGraphProcess({ threads });
const { maxAbsDiff } = await verifyBundle(bundle, options.golden, network.run);
note("measuring one prompt and eight");
const fresh = openGraphProcess({ threads });
const { manifest } = bundle;
const imageFile = join(folder, manifest.files.imageModel.name);
const ask = (prompts: number) => fresh.ask(imageFile, question(prompts));
const { secondsToOpen } = await ask(8);
const samples = { one: [] as number[], eight: [] as number[] };
let peakRssMb = 0;
for (let run = 0; run < runs; run++) {
  samples.one.push((await ask(1)).seconds);
  const eight = await ask(8);
  samples.eight.push(eight.seconds);
  peakRssMb = eight.peakRssMb;
}
await ask(32);
const thirtyTwo = median([await ask(32), await ask(32), await ask(32)].map(({ seconds }) => seconds));

note("measuring the two halves: one look, then one, eight and thirty-two prompts");
const halves = await measureHalves();
note("measuring the inference process");
await network[Symbol.asyncDispose]();
await fresh[Symbol.asyncDispose]();
const inferenceProcessPeakMb = await measureProcess(bundle);

const secondsPerSlice = { one: median(samples.one), eight: median(samples.eight) };
console.log(
  JSON.stringify({
    maxAbsDiff,
    secondsPerSlice: { one: rounded(secondsPerSlice.one), eight: rounded(secondsPerSlice.eight) },
    eightPromptsOverOne: rounded(secondsPerSlice.eight / secondsPerSlice.one),
    thirtyTwoPromptsOverOne: rounded(thirtyTwo / secondsPerSlice.one),
    peakRssMb,
    secondsToOpen: rounded(secondsToOpen),
    halves,
    inferenceProcessPeakMb,
    threads,
  }),
);
const { mask_logits, edge_logits = Number.NaN, existence_logits } = maxAbsDiff;
const agrees =
  mask_logits <= MASK_TOLERANCE && edge_logits <= MASK_TOLERANCE && existence_logits <= EXISTENCE_TOLERANCE;
if (!agrees) process.exitCode = 1;

/** Medians of the encoder's seconds, and of the decoder's for so many prompts. */
async function measureHalves() {
  const { imageEncoder, promptDecoder } = manifest.files;
  if (!imageEncoder || !promptDecoder || manifest.sampling.mode !== "frozen") return undefined;
  await using graphs = openGraphProcess({ threads, hold: 2 });
  const shapes = manifest.sampling.noise ?? [];
  const noises = shapes.map((dims, layer) => {
    const count = dims.reduce((product, length) => product * length, 1);
    return [`${NOISE_INPUT}${layer}`, { dtype: "float32", dims, data: layerNoise(0, layer, count) }] as const;
  });
  const { image } = question(1);
  const look = () => graphs.ask(join(folder, imageEncoder.name), { image: image! });
  let { outputs } = await look();
  const decode = (prompts: number) =>
    graphs.ask(join(folder, promptDecoder.name), {
      ...outputs,
      ...Object.fromEntries(noises),
      text_tokens: question(prompts).text_tokens!,
    });
  const encode: number[] = [];
  const samples = new Map([1, 8, 32].map((prompts) => [prompts, [] as number[]]));
  for (const prompts of samples.keys()) await decode(prompts);
  let peak = 0;
  for (let run = 0; run < runs; run++) {
    const looked = await look();
    ({ outputs } = looked);
    encode.push(looked.seconds);
    for (const [prompts, seconds] of samples) {
      const answered = await decode(prompts);
      seconds.push(answered.seconds);
      peak = answered.peakRssMb;
    }
  }
  const [one, eight, thirtyTwo] = [...samples.values()].map((seconds) => rounded(median(seconds)));
  return { encode: rounded(median(encode)), decode: { one, eight, thirtyTwo }, peakRssMb: peak };
}

/** Peak memory of the inference process itself, text graph and all, after so many prompts on one slice. */
async function measureProcess(bundle: InstalledBundle) {
  await using model = createBundleModel(bundle, { executionProvider: "cpu", threads });
  const run = { signal: new AbortController().signal, progress: () => {}, note: () => {} };
  const peaks: Record<string, number> = {};
  for (const count of [1, 8, 32]) {
    const prompts = Array.from({ length: count }, (_, n) => ({ id: `p${n}`, text: `structure ${n + 1}` }));
    const volume = {
      ...noisyCt([manifest.imageSize, manifest.imageSize, 1], count),
      modality: "MR",
      unit: "arbitrary",
    } as const;
    for await (const _ of model.segment(volume, prompts, { merge: "exclusive", probabilities: false }, run));
    peaks[count] = Math.round(peakMiBOf(model.status().pid));
  }
  return peaks;
}

/** One slice of grey noise, and prompts of eight tokens. */
function question(prompts: number): Readonly<Record<string, GraphTensor>> {
  const { imageSize, hiddenDim } = manifest;
  const tokens = 8;
  const noise = (length: number, scale: number) =>
    Float32Array.from({ length }, (_, n) => ((Math.imul(n, 0x9e3779b9) >>> 8) / 2 ** 24) * scale);
  return {
    image: { dtype: "float32", dims: [1, 3, imageSize, imageSize], data: noise(3 * imageSize ** 2, 255) },
    text_tokens: { dtype: "float32", dims: [tokens, prompts, hiddenDim], data: noise(tokens * prompts * hiddenDim, 1) },
  };
}

function note(text: string): void {
  if (!options.json) console.error(text);
}
