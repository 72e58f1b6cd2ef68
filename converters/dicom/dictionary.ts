import table from "./dictionary.generated.json" with { type: "json" };
import { type Vr, vrOfName } from "./value-representation.ts";

/** What PS3.6 says of a standard element. */
export interface DictionaryEntry {
  /** Group and element as one number: (0010,0020) is 0x00100020. */
  readonly tag: number;
  readonly keyword: string;
  /** Where PS3.6 leaves a choice: OW for pixel and LUT data, US for what follows Pixel Representation. */
  readonly vr: Vr;
  /** True where PS3.6 says "US or SS": signed if Pixel Representation (0028,0103) is 1. */
  readonly signedByPixelRepresentation: boolean;
}

/** The entry of a standard element, by group and element as one number; repeating groups (60xx) are known too. */
export function entryOfTag(tag: number): DictionaryEntry | undefined {
  return dictionary().byTag.get(tag) ?? repeatingGroup(tag);
}

export function entryOfKeyword(keyword: string): DictionaryEntry | undefined {
  return dictionary().byKeyword.get(keyword);
}

/** 0x00291010 as "00291010". */
export function hexOfTag(tag: number): string {
  return tag.toString(16).toUpperCase().padStart(8, "0");
}

interface Dictionary {
  readonly byTag: ReadonlyMap<number, DictionaryEntry>;
  readonly byKeyword: ReadonlyMap<string, DictionaryEntry>;
}

let loaded: Dictionary | undefined;

function dictionary(): Dictionary {
  loaded ??= load();
  return loaded;
}

/** In the table, where PS3.6 says "US or SS". */
const US_OR_SS = "xs";

function load(): Dictionary {
  const byTag = new Map<number, DictionaryEntry>();
  const byKeyword = new Map<string, DictionaryEntry>();
  for (const [name, elements] of Object.entries<readonly string[]>(table)) {
    const vr = vrOfName(name) ?? "US";
    const signedByPixelRepresentation = name === US_OR_SS;
    for (const element of elements) {
      const tag = Number.parseInt(element.slice(0, 8), 16);
      const entry = { tag, keyword: element.slice(9), vr, signedByPixelRepresentation };
      byTag.set(tag, entry);
      byKeyword.set(entry.keyword, entry);
    }
  }
  return { byTag, byKeyword };
}

/** Curves (50xx), overlays (60xx) and variable pixel data (7Fxx) repeat in the even groups of a range. */
function repeatingGroup(tag: number): DictionaryEntry | undefined {
  const high = tag >>> 24;
  if ((high !== 0x50 && high !== 0x60 && high !== 0x7f) || (tag & 0x10000) !== 0) return undefined;
  return dictionary().byTag.get((tag & 0xff00ffff) >>> 0);
}
