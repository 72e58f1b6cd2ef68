import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import * as ort from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DENSITY_RULES, DENSITY_WINDOW, HU_PER_LEVEL, LOWEST_HU } from "../../models/density-ct/rules.ts";
import {
  buildDensityCt,
  createClipTokenizer,
  goldenDifference,
  goldenImage,
  IMAGE_GRAPH,
  type InstalledBundle,
  openBundle,
  TEXT_GRAPH,
} from "../../models/index.ts";

const N = 512;
const tokenizer = createClipTokenizer();
let root: string;
let bundle: InstalledBundle;
let text: ort.InferenceSession;
let image: ort.InferenceSession;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "density-ct-"));
  const folder = join(root, "one");
  await mkdir(folder);
  await buildDensityCt(folder);
  const opened = await openBundle(folder);
  if (opened.engine !== "bundle") throw new TypeError("density-ct is a bundle");
  bundle = opened;
  const options = { intraOpNumThreads: 1, logSeverityLevel: 2 } as const;
  text = await ort.InferenceSession.create(join(folder, bundle.manifest.files.textEncoder.name), options);
  image = await ort.InferenceSession.create(join(folder, bundle.manifest.files.imageModel.name), options);
});
afterAll(() => rm(root, { recursive: true }));

/** Runs both graphs as a host does: tokens cropped to each prompt's own, stacked, zero-padded. */
async function ask(prompts: readonly string[], grey: Float32Array, slices = 1) {
  const { contextLength, hiddenDim } = bundle.manifest;
  const ids = prompts.map((prompt) => tokenizer.encode(prompt));
  const padded = new BigInt64Array(ids.length * contextLength).fill(BigInt(tokenizer.endId));
  for (const [p, row] of ids.entries()) padded.set(row.map(BigInt), p * contextLength);
  const encoded = await text.run({
    [TEXT_GRAPH.input.name]: new ort.Tensor("int64", padded, [ids.length, contextLength]),
  });
  const embeddings = encoded[TEXT_GRAPH.output.name]!;
  expect(embeddings.dims).toEqual([ids.length, contextLength, hiddenDim]);
  const longest = Math.max(...ids.map((row) => row.length));
  const tokens = new Float32Array(longest * ids.length * hiddenDim);
  for (const [p, row] of ids.entries())
    for (let l = 0; l < row.length; l++) {
      const from = (p * contextLength + l) * hiddenDim;
      tokens.set((embeddings.data as Float32Array).subarray(from, from + hiddenDim), (l * ids.length + p) * hiddenDim);
    }
  const answer = await image.run({
    [IMAGE_GRAPH.image.name]: new ort.Tensor("float32", grey, [slices, 3, N, N]),
    [IMAGE_GRAPH.textTokens.name]: new ort.Tensor("float32", tokens, [longest, ids.length, hiddenDim]),
  });
  const [mask, existence] = [answer[IMAGE_GRAPH.maskLogits.name]!, answer[IMAGE_GRAPH.existenceLogits.name]!];
  expect(mask.dims).toEqual([slices, ids.length, N, N]);
  expect(existence.dims).toEqual([slices, ids.length]);
  return { maskLogits: mask.data as Float32Array, existenceLogits: existence.data as Float32Array };
}

/** Grey level of a HU value, as a host's window to uint8 gives it. */
function greyOf(hu: number): number {
  const { width, level } = DENSITY_WINDOW;
  return Math.max(0, Math.min(255, Math.floor(((hu - (level - width / 2)) / width) * 255)));
}

/** Pixel n of the current channel holds hus[n], the rest `background`; neighbours hold other things. */
function sliceOf(hus: readonly number[], background = -1000): Float32Array {
  const grey = new Float32Array(3 * N * N).fill(greyOf(background), 0, N * N).fill(200, N * N);
  for (const [n, hu] of hus.entries()) grey[n] = greyOf(hu);
  return grey;
}

describe("the bundle", () => {
  test("is built to the same bytes each time", async () => {
    const again = join(root, "again");
    await mkdir(again);
    await buildDensityCt(again);
    for (const name of ["manifest.json", "text_encoder.onnx", "image_model.onnx"])
      expect((await readFile(join(again, name))).equals(await readFile(join(bundle.folder, name)))).toBe(true);
  });

  test("says of itself that it is no trained network", () => {
    expect(bundle.card).toMatchObject({ trained: false, modalities: ["CT"], vocabulary: "open" });
    expect(bundle.card.title).toMatch(/density rules.*not a trained network/i);
    expect(bundle.card.description).toMatch(/density rules, not a trained network/i);
    expect(bundle.card.algorithmFamily).toBe("density-rules");
  });

  test("answers its own golden sample, and notices another answer", async () => {
    const answer = await ask(bundle.manifest.golden.prompts, goldenImage(bundle.manifest));
    expect(goldenDifference(bundle.manifest, answer)).toBeLessThan(bundle.manifest.golden.tolerance);
    expect(bundle.manifest.golden.inputIds).toEqual(bundle.manifest.golden.prompts.map((one) => tokenizer.encode(one)));
    const wrong = { ...answer, existenceLogits: answer.existenceLogits.map((logit) => logit + 0.01) };
    expect(goldenDifference(bundle.manifest, wrong)).toBeGreaterThan(bundle.manifest.golden.tolerance);
    expect(goldenDifference(bundle.manifest, { ...answer, maskLogits: new Float32Array() })).toBeNaN();
  });

  test("has ranges whose borders 8 bits of its window can tell", () => {
    for (const { hu } of DENSITY_RULES)
      for (const border of [hu.from, hu.to])
        if (border !== undefined) expect(((border - LOWEST_HU) / HU_PER_LEVEL) % 1).toBe(0);
  });
});

describe("words", () => {
  const everything = Array.from({ length: 4000 }, (_, n) => n - 1000);

  test.each([
    ["bone", "Skull", "skeleton.", "CT imaging of the skull within the head", "cortical bone", "the bones"],
    ["lung", "lungs", "Visualization of the lungs in thoracic CT imaging", "pulmonary parenchyma"],
    ["fat", "adipose tissue", "fatty tissue"],
    ["soft tissue", "soft-tissue", "Soft Tissues"],
    ["contrast-filled or calcified", "calcification", "contrast-filled", "calcium", "contrast medium"],
    ["metal", "metallic implants"],
    ["air", "gas"],
    ["body", "whole body", "patient"],
  ])("%j is there, and its synonyms ask for the same", async (name, ...synonyms) => {
    const { maskLogits, existenceLogits } = await ask([name, ...synonyms], sliceOf(everything));
    for (const [p, logit] of existenceLogits.entries()) {
      expect(logit, [name, ...synonyms][p]).toBeGreaterThan(5);
      const own = maskLogits.subarray(p * N * N, (p + 1) * N * N);
      expect(
        Buffer.compare(
          Buffer.from(own.buffer, own.byteOffset, own.byteLength),
          Buffer.from(maskLogits.buffer, maskLogits.byteOffset, own.byteLength),
        ),
      ).toBe(0);
    }
  });

  test.each([
    "left kidney",
    "left lung",
    "liver",
    "no bone",
    "without bone",
    "bone and lung",
    "brain",
    "fatty liver",
    "tissue",
    "the",
    "",
    "boneyard",
    "左肾",
  ])("%j is not known, so it is not there", async (prompt) => {
    const { maskLogits, existenceLogits } = await ask([prompt], sliceOf(everything));
    expect(existenceLogits[0]).toBe(-12);
    expect(maskLogits.every((logit) => logit === -8)).toBe(true);
  });

  test("every published name and synonym is known", async () => {
    const spoken = bundle.card.targets.flatMap(({ name, synonyms }) => [name, ...synonyms]);
    const { existenceLogits } = await ask(spoken, sliceOf(everything));
    expect(spoken.filter((_, p) => existenceLogits[p]! < 5)).toEqual([]);
  });

  test("prompts of other lengths in the same run change nothing", async () => {
    const grey = sliceOf(everything);
    const alone = await ask(["bone"], grey);
    const beside = await ask(["CT imaging of the lung within the thorax", "bone"], grey);
    expect(beside.maskLogits.subarray(N * N)).toEqual(alone.maskLogits);
  });
});

describe("masks", () => {
  test("lie where the HU are in range, and nowhere else, for every rule and every HU", async () => {
    const hus = Array.from({ length: 5200 }, (_, n) => n - 1500);
    const names = DENSITY_RULES.map(({ name }) => name);
    const { maskLogits } = await ask(names, sliceOf(hus));
    const wrong = DENSITY_RULES.flatMap(({ name, hu: { from = -Infinity, to = Infinity } }, p) =>
      hus.filter((hu, n) => maskLogits[p * N * N + n]! > 0 !== (hu >= from && hu < to)).map((hu) => `${name} at ${hu}`),
    );
    expect(wrong).toEqual([]);
  });

  test("take the slice itself, not its neighbours", async () => {
    const grey = sliceOf([], -1000);
    const { existenceLogits } = await ask(["metal"], grey.fill(255, N * N));
    expect(existenceLogits[0]).toBe(-12);
  });

  test("a material is present from 16 pixels on", async () => {
    for (const [pixels, sign] of [
      [15, -1],
      [17, 1],
    ] as const) {
      const { existenceLogits } = await ask(["bone"], sliceOf(new Array<number>(pixels).fill(1000)));
      expect(Math.sign(existenceLogits[0]!)).toBe(sign);
    }
  });

  test("slices and prompts of a batch do not touch one another", async () => {
    const hu = fc.integer({ min: -1024, max: 3000 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(hu, { minLength: 20, maxLength: 40 }),
        fc.array(hu, { minLength: 20, maxLength: 40 }),
        async (a, b) => {
          const both = new Float32Array(6 * N * N);
          both.set(sliceOf(a));
          both.set(sliceOf(b), 3 * N * N);
          const together = await ask(["fat", "body"], both, 2);
          const second = await ask(["body"], sliceOf(b));
          expect(together.existenceLogits[3]).toBe(second.existenceLogits[0]);
          expect(together.maskLogits.subarray(3 * N * N, 3 * N * N + 100)).toEqual(second.maskLogits.subarray(0, 100));
        },
      ),
      { numRuns: 5 },
    );
  });

  test("a slice and a prompt take less than 100 ms on one core", async () => {
    const grey = sliceOf([]);
    await ask(["bone"], grey);
    const times: number[] = [];
    for (let n = 0; n < 5; n++) {
      const start = performance.now();
      await ask(["bone"], grey);
      times.push(performance.now() - start);
    }
    expect(times.sort((a, b) => a - b)[2]).toBeLessThan(100);
  });
});
