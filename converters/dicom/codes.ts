import { meaningOfPhrase } from "./code-aliases.ts";
import { categoryOf, concept, typeOfPhrase } from "./code-table.ts";
import type { CodedConcept, SegmentCodes } from "./coded-concept.ts";
import { phraseWords } from "./phrase.ts";

/**
 * The coded terms that fit a prompt: the type with its category, the side as its modifier, and for a finding ("liver
 * tumor") the organ as its anatomic region. Codes come from the context groups of PS3.16, a few from TotalSegmentator's
 * table. What no code fits is called tissue with confidence "fallback"; an organ named in it becomes the region.
 *
 * @param own the caller's own code for the type, which wins; the words still give side, region and, where the context
 * groups do not know the code, category
 */
export function codesForPrompt(text: string, own?: CodedConcept): SegmentCodes {
  const codes = codesForText(text);
  return own === undefined
    ? codes
    : { ...codes, category: categoryOf(own) ?? codes.category, type: own, confidence: "caller" };
}

function codesForText(text: string): SegmentCodes {
  const words = phraseWords(withoutSetting(text));
  const whole = understand(words);
  if (whole !== undefined) return codesOf(whole, whole.side);
  const side = sideOf(words);
  const rest = words.filter((word) => !SIDE_WORDS.has(word));
  const sided = understand(rest);
  if (sided !== undefined) return codesOf(sided, sided.side ?? side);
  return findingWithSite(rest, side) ?? general(rest, side);
}

type Side = "left" | "right" | "both";

interface Understood {
  readonly category: CodedConcept;
  readonly type: CodedConcept;
  readonly side?: Side;
  readonly region?: CodedConcept;
  readonly broader: boolean;
}

const SIDES: Readonly<Record<Side, CodedConcept>> = {
  left: concept("SCT", "7771000"),
  right: concept("SCT", "24028007"),
  both: concept("SCT", "51440002"),
};
const SIDE_WORDS: ReadonlyMap<string, Side> = new Map([
  ["left", "left"],
  ["right", "right"],
  ["bilateral", "both"],
  ["both", "both"],
]);

const ABNORMAL = concept("SCT", "49755003");
const ANATOMICAL_STRUCTURE = concept("SCT", "91723000");
const TISSUE = concept("SCT", "85756007");

/** "spleen within the abdomen", "gallbladder in abdomen MRI": where the picture was taken, not what is meant. */
const SETTING =
  /\b(?:within|in|on)\s+(?:an?\s+|the\s+)?(?:(?:abdom(?:en|inal)|pelvi[sc]|chest|thora(?:x|cic)|head|neck|body|ct|mri?|pet|ultrasound|images?|imaging|scans?)\b\s*)+$/i;

function withoutSetting(text: string): string {
  const trimmed = text.trim().replace(/[.!?]+$/, "");
  const before = trimmed.replace(SETTING, "");
  return /[a-z]/i.test(before) ? before : trimmed;
}

/** "c1" to "s1": how a vertebra is called for short. */
const VERTEBRAL_LEVEL = /^(?:c[1-7]|t[1-9]|t1[0-2]|l[1-5]|s1)$/;

function understand(words: readonly string[]): Understood | undefined {
  if (words.length === 0) return undefined;
  if (words.length === 1 && VERTEBRAL_LEVEL.test(words[0]!)) return understand([words[0]!, "vertebra"]);
  const alias = meaningOfPhrase(words);
  if (alias !== undefined) return alias;
  const listed = typeOfPhrase(words);
  return listed && { ...listed, broader: false };
}

function sideOf(words: readonly string[]): Side | undefined {
  const sides = new Set(words.map((word) => SIDE_WORDS.get(word)).filter((side) => side !== undefined));
  if (sides.size === 0) return undefined;
  return sides.size > 1 ? "both" : [...sides][0];
}

function codesOf({ category, type, region, broader }: Understood, side: Side | undefined): SegmentCodes {
  return {
    category,
    type,
    ...(side !== undefined && region === undefined && { typeModifier: SIDES[side] }),
    ...(region !== undefined && { anatomicRegion: region }),
    ...(side !== undefined && region !== undefined && { anatomicRegionModifier: SIDES[side] }),
    confidence: broader ? "fallback" : "exact",
  };
}

/** "left kidney cyst": the longest run of words that names an abnormality; all others must name one place. */
function findingWithSite(words: readonly string[], side: Side | undefined): SegmentCodes | undefined {
  for (const { run, others } of runs(words)) {
    const finding = understand(run);
    if (finding === undefined || finding.category.value !== ABNORMAL.value) continue;
    const site = others.length === 0 ? undefined : understand(others);
    const place = site?.category.value === ABNORMAL.value ? undefined : site;
    const unexplained = others.length > 0 && place === undefined;
    const region = place?.type ?? finding.region ?? (unexplained ? organIn(others) : undefined);
    const understood = { ...finding, broader: finding.broader || unexplained || place?.broader === true };
    return codesOf(region === undefined ? understood : { ...understood, region }, place?.side ?? side);
  }
  return undefined;
}

function general(words: readonly string[], side: Side | undefined): SegmentCodes {
  const region = organIn(words);
  const tissue = { category: TISSUE, type: TISSUE, broader: true };
  return codesOf(region === undefined ? tissue : { ...tissue, region }, side);
}

/** The anatomical structure that the longest run of these words names. */
function organIn(words: readonly string[]): CodedConcept | undefined {
  for (const { run } of runs(words)) {
    const found = understand(run);
    if (found?.category.value === ANATOMICAL_STRUCTURE.value) return found.type;
  }
  return undefined;
}

/** A prompt of more words than this is searched for names only in its first words. */
const LONGEST_SEARCH = 24;

/** Every run of neighbouring words, longest first, with the words that it leaves. */
function* runs(words: readonly string[]): Generator<{ run: readonly string[]; others: readonly string[] }> {
  const searched = words.slice(0, LONGEST_SEARCH);
  for (let length = Math.min(searched.length, 8); length > 0; length--) {
    for (let start = 0; start + length <= searched.length; start++) {
      yield {
        run: searched.slice(start, start + length),
        others: [...searched.slice(0, start), ...searched.slice(start + length)],
      };
    }
  }
}
