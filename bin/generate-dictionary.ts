/**
 * Writes converters/dicom/dictionary.generated.json, the names and value representations of PS3.6, out of dcmjs's
 * dictionary: by value representation, each element as its tag and keyword. Loading dcmjs itself at every start would
 * take longer than reading a series' headers.
 */
import { writeFileSync } from "node:fs";
import { data } from "dcmjs";

/** Where PS3.6 leaves a choice: OW for pixel and LUT data; "xs" stays, for Pixel Representation decides between US and SS. */
const CHOSEN: Readonly<Record<string, string>> = { ox: "OW", lt: "OW", up: "UL" };

export function dictionaryTable(): Readonly<Record<string, readonly string[]>> {
  const byVr: Record<string, string[]> = {};
  for (const { tag, vr, name } of Object.values(data.DicomMetaDictionary.nameMap)) {
    if (vr === "na") continue;
    const hex = (tag.slice(1, 5) + tag.slice(6, 10)).toUpperCase();
    const keyword = name.startsWith("RETIRED_") ? name.slice("RETIRED_".length) : name;
    byVr[CHOSEN[vr] ?? vr] ??= [];
    byVr[CHOSEN[vr] ?? vr]!.push(`${hex} ${keyword}`);
  }
  return Object.fromEntries(
    Object.entries(byVr)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([vr, elements]) => [vr, elements.toSorted()]),
  );
}

if (import.meta.main) {
  const path = new URL("../converters/dicom/dictionary.generated.json", import.meta.url);
  writeFileSync(path, `${JSON.stringify(dictionaryTable(), null, 1)}\n`);
}
