import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type BundleManifest,
  type ClipTokenizer,
  createClipTokenizer,
  huggingFaceVocabulary,
  type InstalledBundle,
  resolveTarget,
  sentPhrase,
} from "#models/index.ts";
import { InvalidPromptError } from "../../domain/errors.ts";
import { knownTarget } from "../known-target.ts";
import type { Begin } from "../protocol.ts";
import { AnswerMemory } from "./answer-memory.ts";
import { answerSlices } from "./answer-slices.ts";
import type { BundleGraphs } from "./bundle-graphs.ts";
import type { ChildEngine } from "./engine.ts";
import { checkGoldenSample } from "./golden-sample.ts";
import { isWindowed } from "./grey-levels.ts";
import { seedsOf } from "./image-model.ts";
import { MOST_PROMPTS, padPrompts } from "./image-network.ts";
import { type KeyedPrompt, recallingNetwork } from "./recalling-network.ts";
import { RunBudget } from "./run-budget.ts";
import { TextEncoder } from "./text-encoder.ts";
import { type WindowedVolumes, windowedVolumes, windowNote, windowsOf } from "./windowed-volumes.ts";

/**
 * Runs any bundle that meets the contract, slice by slice. On a CT each prompt sees the window of the target that it names;
 * prompts of different windows are merged like any others, since their masks stand on the same pictures' grid.
 * @throws ModelUnavailableError where its files do not load or do not answer the golden sample
 */
export async function openBundleEngine(
  { folder, manifest }: Pick<InstalledBundle, "folder" | "manifest">,
  graphs: BundleGraphs,
): Promise<ChildEngine> {
  const { image, parallel } = graphs;
  const tokenizer = await openTokenizer(folder, manifest);
  const text = new TextEncoder(graphs.text, tokenizer, manifest);
  await checkGoldenSample(manifest, tokenizer, text, image);
  const memory = new AnswerMemory(graphs.memoryBytes ?? mostRemembered);
  const most = { slices: graphs.sliceBatch, prompts: graphs.promptBatch ?? MOST_PROMPTS };
  // The golden sample was a slice with a prompt.
  const budget = graphs.freeBytes ? RunBudget.within(most, graphs.freeBytes(), manifest) : new RunBudget(most);
  const phraseFor = (text: string, { modality }: Begin["volume"]) => sentPhrase(text, modality, manifest);
  /** What the network is asked for a prompt: the model's sentence for it, or words. */
  const sentFor = (text: string, volume: Begin["volume"]) => phraseFor(text, volume) ?? wordsFor(text, manifest);
  const lengthOf = (text: string, volume: Begin["volume"]) => tokenizer.countTokens(phraseFor(text, volume) ?? text);
  const overlong = ({ prompts, volume }: Begin) =>
    prompts.filter(({ text }) => lengthOf(text, volume) > manifest.contextLength);
  let prepared: { readonly key: string; readonly views: WindowedVolumes; readonly isWindowed: boolean } | undefined;
  const viewsOf = ({ volume }: Begin): WindowedVolumes => (prepared?.key === volume.key ? prepared.views : new Map());

  return {
    provider: graphs.provider,
    check(question) {
      const [first] = overlong(question);
      if (!first || manifest.overlongPrompts === "cut") return;
      throw new InvalidPromptError(
        `A prompt has ${lengthOf(first.text, question.volume)} tokens; the model ${manifest.name} reads ${manifest.contextLength}. Name one thing in a few words.`,
      );
    },
    needsVoxels: (question) => windowsOf(question, manifest).some((window) => !viewsOf(question).has(window)),
    async prepare(question, voxels, reply) {
      const known = viewsOf(question);
      prepared = undefined;
      await reply.progress("prepare", 0.5);
      prepared = {
        key: question.volume.key,
        views: windowedVolumes(voxels, question, manifest, known),
        isWindowed: isWindowed(voxels, question.volume),
      };
    },
    async answer(question, reply) {
      const cut = overlong(question).length;
      if (cut > 0)
        await reply.note(`${cut} prompt(s) were cut to the ${manifest.contextLength} tokens that the model reads.`);
      const windows = prepared?.isWindowed ? windowNote(question, manifest) : undefined;
      if (windows !== undefined) await reply.note(windows);
      const { draws: wanted = 1, instances: edges = false } = question;
      const seeds = seedsOf(manifest, image, wanted);
      if (wanted > seeds.length) await reply.note("This model does not sample: all of its draws are the same.");
      const asked = await keyed(question, padPrompts);
      const next = anticipated(question);
      const ahead = await keyed({ ...question, prompts: next.prompts }, (embeddings) =>
        padPrompts(embeddings, { padding: "isolate" }),
      );
      if (next.left > 0) {
        await reply.note(
          `${next.left} likely target(s) were not answered ahead: they are seen through another CT window, and take as long when they are asked as now.`,
        );
      }
      await reply.progress("prepare", 1);
      const volume = asked[0]!.volume;
      const sliceBatch = Math.min(graphs.sliceBatch, volume.input.planes);
      const network = recallingNetwork(image, memory, { asked, ahead, seeds, edges }, manifest, sliceBatch, budget);
      try {
        await answerSlices(volume, network, question, manifest, { sliceBatch, parallel, draws: seeds.length }, reply);
      } finally {
        await network.close();
      }
      const shortage = budget.takeNote();
      if (shortage !== undefined) await reply.note(shortage);
    },
  };

  /** Prompts with their pictures, the words in numbers, and what their answers are remembered by; those without a picture are left out. */
  async function keyed(question: Begin, pad: typeof padPrompts): Promise<readonly KeyedPrompt[]> {
    const views = viewsOf(question);
    const windows = windowsOf(question, manifest);
    const prompts: (Omit<KeyedPrompt, "paddedTo" | "key"> & { readonly window: string; readonly words: string })[] = [];
    const sent = question.prompts.map((prompt) => sentFor(prompt.text, question.volume));
    const embeddings = await text.embedAll(sent);
    for (const [p, words] of sent.entries()) {
      const window = windows[p]!;
      const volume = views.get(window);
      if (volume) prompts.push({ volume, window, words, embedding: embeddings[p]! });
    }
    const padded = new Map(
      [...Map.groupBy(prompts, ({ volume }) => volume).values()].flatMap((together) => {
        const lengths = pad(
          together.map(({ embedding }) => embedding),
          manifest,
        );
        return together.map((prompt, n) => [prompt, lengths[n]!.paddedTo] as const);
      }),
    );
    return prompts.map((prompt) => {
      const { volume, window, words, embedding } = prompt;
      const paddedTo = padded.get(prompt)!;
      return { volume, embedding, paddedTo, key: { volume: question.volume.key, window, text: words, paddedTo } };
    });
  }

  /**
   * Words that may be asked next, of those that the question names, as many as it or this process says: those that are seen
   * through a window of which there are pictures. `left`: how many likelier ones are seen through another, which takes a look
   * of its own at every slice.
   */
  function anticipated(question: Begin): { readonly prompts: Begin["prompts"]; readonly left: number } {
    const { prompts, anticipate, volume } = question;
    const most = anticipate?.most ?? graphs.anticipate ?? 0;
    if (most === 0) return { prompts: [], left: 0 };
    const asked = new Set(prompts.map((prompt) => sentFor(prompt.text, volume)));
    const candidates = [...new Set(anticipate?.candidates)]
      .filter((words) => isReadable(words, volume) && !asked.has(phraseFor(words, volume) ?? words))
      .map((words) => ({ id: words, text: words }));
    const windows = windowsOf({ ...question, prompts: candidates }, manifest);
    const views = viewsOf(question);
    const taken = [...candidates.keys()].filter((n) => views.has(windows[n]!)).slice(0, most);
    const before = candidates.slice(0, taken.length < most ? most : taken.at(-1)! + 1).length;
    return { prompts: taken.map((n) => candidates[n]!), left: before - taken.length };
  }

  /** Whether the words can be asked at all. */
  function isReadable(words: string, volume: Begin["volume"]): boolean {
    if (lengthOf(words, volume) > manifest.contextLength) return false;
    return manifest.vocabulary === "open" || resolveTarget(words, manifest.targets).kind === "found";
  }
}

/** Bytes of answers that are kept in this process. */
const mostRemembered = 2 ** 28;

/** What the network is asked: of a closed vocabulary the target's own name, however it was spelled. */
function wordsFor(text: string, { vocabulary, targets }: BundleManifest): string {
  return vocabulary === "closed" ? knownTarget(text, targets).name : text;
}

async function openTokenizer(folder: string, { files, contextLength }: BundleManifest): Promise<ClipTokenizer> {
  if (!files.tokenizer) return createClipTokenizer({ contextLength });
  const document: unknown = JSON.parse(await readFile(join(folder, files.tokenizer.name), "utf8"));
  return createClipTokenizer({ contextLength, vocabulary: huggingFaceVocabulary(document) });
}
