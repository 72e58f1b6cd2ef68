import type { ClipTokenizer } from "../clip/clip-tokenizer.ts";
import { DENSITY_RULES, NEUTRAL_MARKS, NEUTRAL_WORDS } from "./rules.ts";

/** What the text graph knows of tokens, and the image graph of bags of them. */
export interface Lexicon {
  /** Number of features: UNKNOWN, NEUTRAL, and one for each word piece that a phrase uses. */
  readonly features: number;
  /** Token id -> feature. */
  readonly featureOfToken: Uint8Array;
  /** Every way to ask. */
  readonly phrases: readonly Phrase[];
}

export interface Phrase {
  /** How often each feature is in it. */
  readonly bag: readonly number[];
  /** Index of its rule. */
  readonly rule: number;
}

/** A token of a word that no rule uses. */
const UNKNOWN = 0;
/** A token that changes nothing. */
export const NEUTRAL = 1;
const FIRST_PIECE = 2;

/** @throws RangeError where two rules can be asked for alike, or a neutral word shares a piece with a phrase. */
export function buildLexicon(tokenizer: ClipTokenizer): Lexicon {
  const pieces = (text: string) => tokenizer.encode(text).slice(1, -1);
  const marks = new Set(NEUTRAL_MARKS.flatMap(pieces));
  const neutral = new Set([tokenizer.startId, tokenizer.endId, ...marks, ...NEUTRAL_WORDS.flatMap(pieces)]);
  const spoken = DENSITY_RULES.flatMap(({ name, synonyms }, rule) =>
    [name, ...synonyms].map((text) => ({ text, rule, ids: pieces(text).filter((id) => !marks.has(id)) })),
  );
  const clash = spoken.find(({ ids }) => ids.some((id) => neutral.has(id)));
  if (clash !== undefined) throw new RangeError(`"${clash.text}" shares a word piece with a neutral word`);

  const known = [...new Set(spoken.flatMap(({ ids }) => ids))];
  const features = FIRST_PIECE + known.length;
  if (features > 256) throw new RangeError(`${features} features do not fit into a byte`);
  const featureOfToken = new Uint8Array(tokenizer.vocabularySize).fill(UNKNOWN);
  for (const id of neutral) featureOfToken[id] = NEUTRAL;
  for (const [n, id] of known.entries()) featureOfToken[id] = FIRST_PIECE + n;

  const phrases = new Map<string, Phrase>();
  for (const { text, rule, ids } of spoken) {
    const bag = new Array<number>(features).fill(0);
    for (const id of ids) bag[featureOfToken[id]!]! += 1;
    const same = phrases.get(bag.join());
    if (same !== undefined && same.rule !== rule) throw new RangeError(`"${text}" asks for two rules`);
    phrases.set(bag.join(), { bag, rule });
  }
  return { features, featureOfToken, phrases: [...phrases.values()] };
}
