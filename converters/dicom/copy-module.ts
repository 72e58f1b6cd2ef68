import { type DataSet, isDataSet, type Value } from "./data-set.ts";
import { type DictionaryEntry, entryOfKeyword } from "./dictionary.ts";
import type { Elements } from "./elements.ts";
import { valueField } from "./value-field.ts";
import type { Vr } from "./value-representation.ts";

/**
 * The attributes of a module that was read, to be written again as they are. Left out is what has no value, what PS3.6
 * does not know, and codes, dates and numbers in a form that their VR does not allow. Names and identifiers are kept
 * even where they are too long for their VR: they tie the copy to its patient and study.
 */
export function copyModule(module: object): Elements {
  const copied: Record<string, Elements[string]> = {};
  for (const [keyword, given] of Object.entries(module)) {
    const values = valuesOf(given);
    const copy = values.length > 0 ? copyValues(keyword, values) : undefined;
    if (copy !== undefined) copied[keyword] = copy;
  }
  return copied;
}

function valuesOf(given: unknown): readonly Value[] {
  if (given === undefined || given === null || given === "") return [];
  return Array.isArray(given) ? given : [given as Value];
}

function copyValues(keyword: string, values: readonly Value[]): Elements[string] {
  const entry = entryOfKeyword(keyword);
  if (entry === undefined) return undefined;
  if (entry.vr === "SQ") return values.every(isDataSet) ? values.map((item: DataSet) => copyModule(item)) : undefined;
  const [first] = values;
  if (first instanceof Uint8Array) return values.length === 1 && isWritable(entry, first) ? first : undefined;
  const plain = values.filter((value) => typeof value === "string" || typeof value === "number");
  return plain.length === values.length && isWritable(entry, plain) ? plain : undefined;
}

/** PS3.5 section 6.2, for the VRs whose values mean nothing where they are malformed. */
const FORMS: Partial<Record<Vr, RegExp>> = {
  AS: /^\d{3}[DWMY]$/,
  CS: /^[A-Z0-9 _]{1,16}$/,
  DA: /^\d{8}$/,
  DT: /^\d{4}(\d\d){0,5}(\.\d{1,6})?([+-]\d{4})?$/,
  TM: /^\d\d(\d\d(\d\d(\.\d{1,6})?)?)?$/,
};

function isWritable({ keyword, vr }: DictionaryEntry, value: Uint8Array | readonly (string | number)[]): boolean {
  const form = FORMS[vr];
  if (form !== undefined && Array.isArray(value) && !value.every((text) => form.test(String(text)))) return false;
  try {
    valueField(keyword, vr, value);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
