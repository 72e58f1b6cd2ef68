import { Tensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import type { BundleManifest } from "#models/index.ts";
import { AnswerMemory } from "../../server/engines/child/answer-memory.ts";
import type { ImageModel } from "../../server/engines/child/image-model.ts";
import { type ImageLogits, padPrompts } from "../../server/engines/child/image-network.ts";
import type { ModelVolume } from "../../server/engines/child/model-volume.ts";
import {
  type KeyedPrompt,
  type NetworkQuestion,
  recallingNetwork,
} from "../../server/engines/child/recalling-network.ts";

const planes = 4;
const manifest = { imageSize: 8, maskStride: 4, hiddenDim: 1 } as BundleManifest;
/** A picture is the number of its slice, in every pixel. */
const volume = {
  input: { planes, writeChannels: (n: number, out: Float32Array, at: number) => void out.fill(n, at, at + 192) },
} as ModelVolume;

/** Prompt p's mask logits are 100 * slice + 10 * its first token + the tokens of its run + the seed / 10. */
function countingModel(looksOnce = true) {
  const counts = { looks: 0, asks: 0 };
  const model: ImageModel = {
    looksOnce,
    samples: true,
    async look(images, slices) {
      counts.looks++;
      const seen = Array.from({ length: slices }, (_, s) => images[s * 192]!);
      return {
        close: () => {},
        async ask(textTokens, seed = 0) {
          counts.asks++;
          const [length, prompts] = textTokens.dims as [number, number, number];
          const first = Array.from({ length: prompts }, (_, p) => (textTokens.data as Float32Array)[p]!);
          const answers = seen.flatMap((slice) => first.map((token) => 100 * slice + 10 * token + length + seed / 10));
          const float = (values: readonly number[]) =>
            new Tensor("float32", Float32Array.from(values), [values.length]);
          return {
            existence_logits: float(answers),
            mask_logits: float(answers.flatMap((one) => [one, one, one, one])),
          };
        },
      };
    },
  };
  return { model, counts };
}

/** A prompt is a word of as many tokens as it has letters; the first token is its first letter's number. */
function prompts(words: readonly string[], padding: "isolate" | "zeros-unmasked" = "isolate"): readonly KeyedPrompt[] {
  const embeddings = words.map((word) => ({
    tokens: word.length,
    values: Float32Array.from(word, (letter) => letter.charCodeAt(0) - 96),
  }));
  return padPrompts(embeddings, { padding }).map((padded, n) => {
    const key = { volume: "v", window: "", text: words[n]!, paddedTo: padded.paddedTo };
    return { ...padded, volume, key };
  });
}

async function run(
  model: ImageModel,
  memory: AnswerMemory,
  question: Partial<NetworkQuestion> & Pick<NetworkQuestion, "asked">,
) {
  const network = recallingNetwork(model, memory, { ahead: [], seeds: [0], edges: false, ...question }, manifest, 2);
  const existence: number[] = [];
  const all: (readonly ImageLogits[])[] = [];
  for (const first of [0, 2]) {
    const { draws, lookAhead } = await network.answer(first, 2);
    existence.push(...draws[0]!.existence);
    all.push(draws);
    await lookAhead();
  }
  network.remember();
  return { existence, all };
}

test("prompts of unequal length share one look at each slice, and each is answered as alone", async () => {
  const { model, counts } = countingModel();
  const together = await run(model, new AnswerMemory(1e6), { asked: prompts(["abc", "de", "fgh"]) });
  expect(counts).toEqual({ looks: 2, asks: 4 });
  for (const [p, word] of ["abc", "de", "fgh"].entries()) {
    const { existence } = await run(countingModel().model, new AnswerMemory(1e6), { asked: prompts([word]) });
    expect(together.existence.filter((_, n) => n % 3 === p)).toEqual(existence);
  }
});

test("what was answered is not computed again, alone or beside what is new", async () => {
  const { model, counts } = countingModel();
  const memory = new AnswerMemory(1e6);
  await run(model, memory, { asked: prompts(["abc", "de"]) });
  const { looks } = counts;
  const again = await run(model, memory, { asked: prompts(["de"]) });
  expect(counts.looks).toBe(looks);
  expect(again.existence).toEqual([42, 142, 242, 342]);
  const mixed = await run(model, memory, { asked: prompts(["de", "xyz", "abc"]) });
  expect(counts.looks).toBe(looks + 2);
  expect(mixed.existence.slice(0, 3)).toEqual([42, 243, 13]);
});

test("what was looked ahead is answered later without the network, as asking alone would have", async () => {
  const { model, counts } = countingModel();
  const memory = new AnswerMemory(1e6);
  await run(model, memory, { asked: prompts(["abc"]), ahead: prompts(["de", "fgh"]) });
  expect(counts.looks).toBe(2);
  const later = await run(model, memory, { asked: prompts(["de"]) });
  expect(counts.looks).toBe(2);
  const alone = await run(countingModel().model, new AnswerMemory(1e6), { asked: prompts(["de"]) });
  expect(later.all).toEqual(alone.all);
});

test("a prompt that the padding of its neighbours changes is another question", async () => {
  const { model, counts } = countingModel();
  const memory = new AnswerMemory(1e6);
  const together = await run(model, memory, { asked: prompts(["abc", "de"], "zeros-unmasked") });
  const { looks } = counts;
  const alone = await run(model, memory, { asked: prompts(["de"], "zeros-unmasked") });
  expect(counts.looks).toBe(looks + 2);
  expect(together.existence[1]).not.toBe(alone.existence[0]);
});

test("a model that looks anew for each question is not asked ahead", async () => {
  const { model, counts } = countingModel(false);
  await run(model, new AnswerMemory(1e6), { asked: prompts(["abc"]), ahead: prompts(["de"]) });
  expect(counts.asks).toBe(2);
});

test("several draws share the look, come one for each seed, and are not remembered", async () => {
  const { model, counts } = countingModel();
  const memory = new AnswerMemory(1e6);
  const { all } = await run(model, memory, { asked: prompts(["abc"]), seeds: [0, 1, 2] });
  expect(counts).toEqual({ looks: 2, asks: 6 });
  expect(all[0]!.map(({ existence }) => Math.round(existence[0]! * 10))).toEqual([130, 131, 132]);
  await run(model, memory, { asked: prompts(["abc"]) });
  expect(counts.looks).toBe(4);
});

test("memory is bounded: what does not fit is not kept, and the oldest goes first", async () => {
  const bytes = 4 * planes * (4 + 1);
  const { model, counts } = countingModel();
  const memory = new AnswerMemory(2 * bytes);
  await run(model, memory, { asked: prompts(["abc"]), ahead: prompts(["def", "ghi"]) });
  await run(model, memory, { asked: prompts(["abc"]) });
  await run(model, memory, { asked: prompts(["def"]) });
  expect(counts.looks).toBe(2);
  await run(model, memory, { asked: prompts(["ghi"]) });
  expect(counts.looks).toBe(4);
  await run(model, memory, { asked: prompts(["def"]) });
  expect(counts.looks).toBe(4);
  await run(model, memory, { asked: prompts(["abc"]) });
  expect(counts.looks).toBe(6);
});
