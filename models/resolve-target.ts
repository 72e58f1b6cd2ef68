import type { Target } from "./model-card.ts";

/** What a closed vocabulary makes of a prompt. */
export type TargetResolution<T extends Target = Target> =
  | {
      readonly kind: "found";
      readonly target: T;
      /** Absent where no side was named, or both. */
      readonly side?: "left" | "right";
      /** 1: one of the target's own names; below: a spelling near one of them. */
      readonly score: number;
    }
  /** `suggestions`: canonical names, nearest first. */
  | { readonly kind: "unknown"; readonly suggestions: readonly string[] };

/** Below this similarity a word is another word: "liver" is not a spelling of any structure of the brain. */
const SIMILAR_ENOUGH = 0.62;
const SUGGESTIONS = 5;
/** No name of a structure is longer; more is a text, not a prompt. */
const LONGEST_PROMPT = 200;

const SIDES = new Map(
  (["left", "right"] as const).flatMap((side) => [
    [side, side] as const,
    [side.slice(0, 1), side] as const,
    [side === "left" ? "lt" : "rt", side] as const,
    [side === "left" ? "lh" : "rh", side] as const,
  ]),
);

const NEGATIONS = new Set(["no", "not", "without", "except", "non"]);

const FILLERS = new Set(
  (
    "a an the of in on and with both all bilateral show me find please segment segmentation label mark outline " +
    "mask structure region volume area image scan patient mri mr t1"
  ).split(" "),
);

/**
 * Finds the target that a prompt asks for: by its name or a synonym, in any number (singular or plural), case, order of
 * side and name; else by the nearest spelling that is near enough. A prompt that denies ("without") is never guessed at.
 * A side belongs to the target where its name holds one ("left ventricle"), and is the prompt's own otherwise.
 */
export function resolveTarget<T extends Target>(text: string, targets: readonly T[]): TargetResolution<T> {
  const words = text.length > LONGEST_PROMPT ? [] : wordsOf(text);
  const asWritten =
    targets.find(({ name }) => sameWords(words, wordsOf(name))) ??
    targets.find(({ synonyms }) => synonyms.some((synonym) => sameWords(words, wordsOf(synonym))));
  if (asWritten) return { kind: "found", target: asWritten, score: 1 };

  const asked = phraseOf(words);
  if (asked.name === "")
    return { kind: "unknown", suggestions: targets.slice(0, SUGGESTIONS).map((target) => target.name) };

  const ranked = targets
    .map((target) => ({ target, ...nearestSpelling(asked, target) }))
    .sort((a, b) => b.score - a.score);
  const best = ranked.find(({ isTypo, score }) => isTypo && score >= SIMILAR_ENOUGH);
  if (best === undefined || (best.score < 1 && words.some((word) => NEGATIONS.has(word))))
    return { kind: "unknown", suggestions: ranked.slice(0, SUGGESTIONS).map(({ target }) => target.name) };
  const { target, score, isSided } = best;
  const [side] = asked.sides;
  return { kind: "found", target, score, ...(side === undefined || asked.sides.size > 1 || isSided ? {} : { side }) };
}

/** Words without those that change nothing, and without the sides among them. */
interface Phrase {
  readonly name: string;
  readonly sides: ReadonlySet<"left" | "right">;
}

function phraseOf(words: readonly string[]): Phrase {
  return {
    name: keyOf(words.filter((word) => !SIDES.has(word))),
    sides: new Set(words.flatMap((word) => SIDES.get(word) ?? [])),
  };
}

function sameWords(words: readonly string[], others: readonly string[]): boolean {
  return words.join("") !== "" && words.join("") === others.join("");
}

interface Likeness {
  readonly score: number;
  /** The two differ by a slip in spelling at most, not by a word. */
  readonly isTypo: boolean;
  /** The spelling has the prompt's side in it. */
  readonly isSided: boolean;
}

function nearestSpelling({ name, sides }: Phrase, target: Target): Likeness {
  const spellings = [target.name, ...target.synonyms].map((spelling): Likeness => {
    const known = phraseOf(wordsOf(spelling));
    const isSided = known.sides.size > 0;
    const otherSide = isSided && [...known.sides].join() !== [...sides].join();
    if (!otherSide && known.name.replaceAll(" ", "") === name.replaceAll(" ", ""))
      return { score: 1, isTypo: true, isSided };
    const isSlip = !otherSide && isTypo(known.name.split(" "), name.split(" "));
    return { score: similarity(known.name, name), isTypo: isSlip, isSided };
  });
  return spellings.reduce((best, one) => (one.score > best.score || (one.isTypo && !best.isTypo) ? one : best));
}

function wordsOf(text: string): readonly string[] {
  const plain = text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/'s\b/g, "")
    .replace(/[^a-z0-9]+/g, " ");
  return plain.trim().split(" ").map(singular);
}

/** What is left without fillers; all of it where nothing would be. */
function keyOf(words: readonly string[]): string {
  const telling = words.filter((word) => !FILLERS.has(word));
  return (telling.length === 0 ? words : telling).join(" ");
}

const PLURALS: readonly (readonly [plural: RegExp, singular: string])[] = [
  [/^gray$/, "grey"],
  [/^(hippocamp|thalam|nucle|fornic|gyr|sulc|bronch)i$/, "$1us"],
  [/^(amygdal|vertebr|cochle|aort)ae$/, "$1a"],
  [/^(putam|foram)ina$/, "$1en"],
  [/^(cerebell|cerebr|pallid|diencephal|striat)a$/, "$1um"],
  [/^(.*)ices$/, "$1ex"],
  [/^(.{2,})ies$/, "$1y"],
  [/^(.*(?:ss|us|is))$/, "$1"],
  [/^(.{3,})s$/, "$1"],
];

function singular(word: string): string {
  const rule = PLURALS.find(([plural]) => plural.test(word));
  return rule === undefined ? word : word.replace(rule[0], rule[1]);
}

/** Word for word: the same first letter, and at most one letter in five wrong. "subthalamus" is no slip of "thalamus". */
function isTypo(words: readonly string[], others: readonly string[]): boolean {
  return (
    words.length === others.length &&
    words.every((word, n) => {
      const other = others[n] ?? "";
      return word[0] === other[0] && editDistance(word, other) <= Math.ceil(word.length / 5);
    })
  );
}

/** Letters to insert, remove or replace (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (const [n, letter] of [...a].entries()) {
    const next = [n + 1];
    for (let m = 0; m < b.length; m++)
      next.push(Math.min(next[m]! + 1, row[m + 1]! + 1, row[m]! + (letter === b[m] ? 0 : 1)));
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Dice's coefficient of the two sets of three-letter runs, a little below 1 even where they agree. */
function similarity(a: string, b: string): number {
  const [runsOfA, runsOfB] = [runs(a), runs(b)];
  const shared = [...runsOfA].filter((run) => runsOfB.has(run)).length;
  return (0.97 * 2 * shared) / (runsOfA.size + runsOfB.size);
}

function runs(text: string): ReadonlySet<string> {
  const padded = `  ${text} `;
  return new Set(Array.from({ length: padded.length - 2 }, (_, at) => padded.slice(at, at + 3)));
}
