import type { BundleManifest } from "#models/index.ts";
import type { AnswerKey, AnswerMemory, RememberedAnswer } from "./answer-memory.ts";
import type { ImageModel } from "./image-model.ts";
import { emptyLogits, type ImageLogits, MOST_PROMPTS, scatter } from "./image-network.ts";
import { RunBudget } from "./run-budget.ts";
import { type AskedPrompt, type PromptSet, sliceNetwork } from "./slice-network.ts";

/** A prompt with what its answer is remembered by. */
export interface KeyedPrompt extends AskedPrompt {
  readonly key: AnswerKey;
}

export interface NetworkQuestion {
  readonly asked: readonly KeyedPrompt[];
  /** Prompts that may be asked next. They come after the asked ones of each slice, and only where they cost little. */
  readonly ahead: readonly KeyedPrompt[];
  readonly seeds: readonly number[];
  readonly edges: boolean;
}

export interface SliceAnswers {
  /** One for each seed, with all of the asked prompts. */
  readonly draws: readonly ImageLogits[];
  /** Answers on these slices what may be asked next. To be called when the draws are on their way. */
  lookAhead(): Promise<void>;
}

export interface RecallingNetwork {
  answer(first: number, count: number): Promise<SliceAnswers>;
  /** After the last slice: keeps what was answered. */
  remember(): void;
  /** Lets go of the device where answers were begun and not finished. */
  close(): Promise<void>;
}

/** The slice network behind a memory: what is known is not computed again, and what was computed is known from then on. */
export function recallingNetwork(
  model: ImageModel,
  memory: AnswerMemory,
  { asked, ahead, seeds, edges }: NetworkQuestion,
  manifest: BundleManifest,
  most: number,
  budget: RunBudget = new RunBudget({ slices: most, prompts: MOST_PROMPTS }),
): RecallingNetwork {
  const maskPixels = (manifest.imageSize / manifest.maskStride) ** 2;
  const planes = asked[0]!.volume.input.planes;
  const isSingle = seeds.length === 1;
  memory.startQuestion();
  const known = asked.map(({ key }) => (isSingle ? memory.recall(key, edges) : undefined));
  const missing = [...asked.keys()].filter((prompt) => known[prompt] === undefined);
  const fresh = missing.map((prompt) => asked[prompt]!);
  const wanted =
    missing.length > 0 && isSingle && model.looksOnce ? ahead.filter(({ key }) => !memory.recall(key, false)) : [];
  const blanks = new Map<KeyedPrompt, RememberedAnswer>();
  const reserve = (prompt: KeyedPrompt, withEdges: boolean) => {
    const blank = isSingle ? memory.blank(planes, maskPixels, withEdges) : undefined;
    if (blank) blanks.set(prompt, blank);
    return blank !== undefined;
  };
  for (const prompt of fresh) reserve(prompt, edges);
  const extra = wanted.filter((prompt) => reserve(prompt, false));
  const sets: PromptSet[] = [
    { prompts: fresh, options: { seeds, edges } },
    { prompts: extra, options: { seeds } },
  ];
  const network = sliceNetwork(
    model,
    sets.filter(({ prompts }) => prompts.length > 0),
    manifest,
    most,
    budget,
  );
  const unfinished = new Set<ReturnType<typeof network>>();

  function keep(prompts: readonly KeyedPrompt[], logits: ImageLogits, first: number, count: number): void {
    for (const [p, prompt] of prompts.entries()) {
      const blank = blanks.get(prompt);
      if (!blank) continue;
      const slices = Array.from({ length: count }, (_, slice) => slice);
      for (const slice of slices) copyPlane(logits, slice * prompts.length + p, blank, first + slice, maskPixels);
    }
  }

  return {
    async answer(first, count) {
      const answers = network(first, count);
      unfinished.add(answers);
      const finish = async () => {
        await answers.return();
        unfinished.delete(answers);
      };
      const computed = missing.length > 0 ? ((await answers.next()).value ?? []) : [];
      if (extra.length === 0) await finish();
      if (isSingle && computed[0]) keep(fresh, computed[0], first, count);
      const isNew = known.every((one) => one === undefined);
      return {
        draws: isNew ? computed : [withKnown(computed[0], first, count)],
        lookAhead: async () => {
          if (extra.length === 0) return;
          const more = (await answers.next()).value ?? [];
          if (more[0]) keep(extra, more[0], first, count);
          await finish();
        },
      };
    },
    remember() {
      for (const [{ key }, answer] of blanks) memory.remember(key, answer);
    },
    close: async () => {
      for (const answers of unfinished) await answers.return();
    },
  };

  function withKnown(computed: ImageLogits | undefined, first: number, count: number): ImageLogits {
    const all = emptyLogits(count * asked.length, maskPixels, edges);
    if (computed) scatter(computed, all, count, missing, asked.length, maskPixels);
    for (const [p, answer] of known.entries()) {
      if (!answer) continue;
      for (let slice = 0; slice < count; slice++)
        copyPlane(answer, first + slice, all, slice * asked.length + p, maskPixels);
    }
    return all;
  }
}

function copyPlane(from: ImageLogits, at: number, to: ImageLogits, place: number, maskPixels: number): void {
  to.masks.set(from.masks.subarray(at * maskPixels, (at + 1) * maskPixels), place * maskPixels);
  if (from.edges) to.edges?.set(from.edges.subarray(at * maskPixels, (at + 1) * maskPixels), place * maskPixels);
  to.existence[place] = from.existence[at]!;
}
