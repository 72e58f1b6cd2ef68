import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { FileRef } from "../card-fields.ts";
import { type ClipTokenizer, createClipTokenizer } from "../clip/clip-tokenizer.ts";
import { byteLetters, END_OF_WORD, huggingFaceVocabulary } from "../clip/vocabulary.ts";
import { ModelBundleError } from "../errors.ts";
import { writeChunks } from "../onnx/write-file.ts";
import { type NetworkConfig, OFFICIAL_CONFIG } from "./network-config.ts";

export interface BundleTokenizer {
  readonly tokenizer: ClipTokenizer;
  /** Absent: CLIP's own vocabulary, which the program has. */
  readonly file?: FileRef;
}

const FILE = "tokenizer.json";

/**
 * The tokenizer of a bundle: that of a Hugging Face tokenizer.json, CLIP's own for a network with its vocabulary, and for a
 * network with another (none of the published ones) one that reads bytes.
 *
 * @throws ModelBundleError where the file has tokens that the network does not know
 */
export async function writeTokenizer(
  folder: string,
  { textContext, textVocabulary }: NetworkConfig,
  path: string | undefined,
): Promise<BundleTokenizer> {
  const contextLength = textContext;
  if (path === undefined && textVocabulary === OFFICIAL_CONFIG.textVocabulary)
    return { tokenizer: createClipTokenizer({ contextLength }) };
  const document = path === undefined ? byteTokenizer(textVocabulary) : await readTokenizer(path);
  const vocabulary = huggingFaceVocabulary(document);
  const ids = [...vocabulary.byteIds, ...vocabulary.finalByteIds, vocabulary.startId, vocabulary.endId];
  for (const { id } of vocabulary.merges.values()) ids.push(id);
  const highest = ids.reduce((most, id) => Math.max(most, id), 0);
  if (highest >= textVocabulary)
    throw new ModelBundleError(
      path === undefined ? FILE : basename(path),
      `has the token ${highest}, and the network knows ${textVocabulary}; give the tokenizer that it was trained with.`,
    );
  const text = JSON.stringify(document);
  const file = await writeChunks(join(folder, FILE), [new TextEncoder().encode(text)]);
  return { tokenizer: createClipTokenizer({ contextLength, vocabulary }), file };
}

async function readTokenizer(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw new ModelBundleError(basename(path), "cannot be read as JSON; give a tokenizer.json.", { cause });
  }
}

/** Bytes as tokens, in the form of a CLIP tokenizer; where the network knows fewer than 514 tokens, some bytes share one. */
function byteTokenizer(vocabularySize: number): unknown {
  const letters = byteLetters().flatMap((letter) => [letter, `${letter}${END_OF_WORD}`]);
  const [start, end] = [vocabularySize - 2, vocabularySize - 1];
  const ids = letters.map((letter, n) => [letter, n % start] as const);
  const vocab = Object.fromEntries([...ids, ["<|startoftext|>", start], ["<|endoftext|>", end]]);
  return { model: { type: "BPE", end_of_word_suffix: END_OF_WORD, vocab, merges: [] } };
}
