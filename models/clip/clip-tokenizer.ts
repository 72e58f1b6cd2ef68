import { cleanText } from "./clean-text.ts";
import { mergeBytes } from "./merge-bytes.ts";
import { type ClipVocabulary, openAiVocabulary } from "./vocabulary.ts";

/** Text to CLIP's token ids. */
export interface ClipTokenizer {
  readonly startId: number;
  readonly endId: number;
  /** Number of ids. */
  readonly vocabularySize: number;
  /** Start and end included; cut at contextLength, with the end token last. */
  encode(text: string): readonly number[];
  /** As many as `encode` would give if nothing were cut. */
  countTokens(text: string): number;
}

const WORDS = /'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+/gu;
const CACHED_WORDS = 4096;
const CACHED_WORD_LENGTH = 64;

/** @param options.vocabulary absent: OpenAI's CLIP vocabulary */
export function createClipTokenizer(
  options: { readonly contextLength?: number; readonly vocabulary?: ClipVocabulary } = {},
): ClipTokenizer {
  const { contextLength = 77, vocabulary = openAiVocabulary() } = options;
  const utf8 = new TextEncoder();
  const cache = new Map<string, readonly number[]>();

  function idsOfWord(word: string): readonly number[] {
    const cached = cache.get(word);
    if (cached !== undefined) return cached;
    const ids = mergeBytes(utf8.encode(word), vocabulary);
    if (word.length <= CACHED_WORD_LENGTH) {
      if (cache.size >= CACHED_WORDS) cache.clear();
      cache.set(word, ids);
    }
    return ids;
  }

  /** Ids without start and end, at most `limit`. */
  function idsOf(text: string, limit: number): readonly number[] {
    const ids: number[] = [];
    for (const [word] of cleanText(text).matchAll(WORDS)) {
      ids.push(...idsOfWord(word));
      if (ids.length >= limit) break;
    }
    return ids.slice(0, limit);
  }

  return {
    startId: vocabulary.startId,
    endId: vocabulary.endId,
    vocabularySize: vocabulary.size,
    encode: (text) => [vocabulary.startId, ...idsOf(text, contextLength - 2), vocabulary.endId],
    countTokens: (text) => idsOf(text, Number.POSITIVE_INFINITY).length + 2,
  };
}
