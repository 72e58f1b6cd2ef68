import table from "./code-table.generated.json" with { type: "json" };
import type { CodedConcept } from "./coded-concept.ts";
import { phraseKey } from "./phrase.ts";

/** A type that a segment may have, and the category it belongs to. */
export interface PropertyType {
  readonly category: CodedConcept;
  readonly type: CodedConcept;
}

/**
 * The concept with this code in DICOM's context groups (PS3.16), or what the table takes from elsewhere.
 * @throws RangeError where the generated table does not hold it: codes are looked up, never invented.
 */
export function concept(scheme: string, value: string): CodedConcept {
  const found = byCode.get(`${scheme} ${value}`);
  if (found === undefined) throw new RangeError(`${value} (${scheme}) is not in the table of coded terms`);
  return found;
}

/** The segment property type whose meaning consists of these words, in any order. */
export function typeOfPhrase(words: readonly string[]): PropertyType | undefined {
  return byPhrase.get(phraseKey(words.join(" ")));
}

/** The category to which the context groups of PS3.16 CID 7151 put a type. */
export function categoryOf(type: CodedConcept): CodedConcept | undefined {
  return categories.get(`${type.scheme} ${type.value}`);
}

/** Segmentation property categories, PS3.16 CID 7150, and the context groups that hold their types. */
const CATEGORY_OF_GROUP: Readonly<Record<string, string>> = {
  7191: "85756007",
  7192: "91723000",
  7193: "260787004",
  7194: "49755003",
  7195: "246464006",
  7196: "309825002",
  7197: "91720002",
  7198: "105590001",
  12: "105590001",
  639: "49755003",
  3413: "49755003",
  6343: "49755003",
  9534: "49755003",
  "TotalSegmentator findings": "49755003",
};
const ANATOMICAL_STRUCTURE = "91723000";
/** Groups that hold no segment types: categories, laterality, purposes of reference, what reports are made of. */
const NOT_TYPES: ReadonlySet<number | string> = new Set([
  ...[7150, 244, 7162, 7005, 7202, 7203, 219, 240, 7021, 7474],
  "content items",
]);

const byCode = new Map<string, CodedConcept>();
for (const { codes } of table.groups) {
  for (const [value, scheme, meaning] of codes as [string, string, string][]) {
    const code = `${scheme} ${value}`;
    if (!byCode.has(code)) byCode.set(code, { value, scheme, meaning });
  }
}

const byPhrase = new Map<string, PropertyType>();
const categories = new Map<string, CodedConcept>();
for (const { cid, codes } of table.groups) {
  if (NOT_TYPES.has(cid)) continue;
  const category = concept("SCT", CATEGORY_OF_GROUP[cid] ?? ANATOMICAL_STRUCTURE);
  for (const [value, scheme] of codes as [string, string, string][]) {
    const type = concept(scheme, value);
    const key = phraseKey(type.meaning);
    if (!byPhrase.has(key)) byPhrase.set(key, { category, type });
    const code = `${scheme} ${value}`;
    if (!categories.has(code)) categories.set(code, category);
  }
}
