import type { DataSet } from "./data-set.ts";

/** More tags, or items of one tag, than any CSA header has: about 100, and up to 6 that are filled. */
const MAX_TAGS = 1024;
const MAX_ITEMS = 4096;

/**
 * The values of a Siemens CSA header (the later form, "SV10"), by the name of their tag, as text. A header that ends early
 * or lies about its sizes gives what could be read of it.
 */
export function readCsaHeader(bytes: Uint8Array): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, readonly string[]>();
  if (bytes.length < 16 || textAt(bytes, 0, 4) !== "SV10") return values;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tags = Math.min(view.getUint32(8, true), MAX_TAGS);
  let at = 16;
  // Of a tag: name (64 bytes), multiplicity, VR, type, number of items, a check word.
  for (let n = 0; n < tags && at + 84 <= bytes.length; n++) {
    const name = textAt(bytes, at, 64);
    const items = view.getUint32(at + 76, true);
    if (items > MAX_ITEMS) return values;
    at += 84;
    const texts: string[] = [];
    for (let item = 0; item < items; item++) {
      // Of an item: four words, of which the second is its length, then its bytes, filled up to whole words.
      if (at + 16 > bytes.length) return values;
      const length = view.getUint32(at + 4, true);
      at += 16;
      if (length > bytes.length - at) return values;
      const text = textAt(bytes, at, length).trim();
      if (text !== "") texts.push(text);
      at += Math.ceil(length / 4) * 4;
    }
    values.set(name, texts);
  }
  return values;
}

/** The key of a private element: `element` of the block of `group` that `creator` has reserved (PS3.5 section 7.8.1). */
export function privateKey(dataSet: DataSet, group: string, creator: string, element: string): string | undefined {
  for (let block = 0x10; block <= 0xff; block++) {
    const name = block.toString(16).toUpperCase();
    if (dataSet[`${group}00${name}`]?.[0] === creator) return `${group}${name}${element}`;
  }
  return undefined;
}

/** Latin letters up to the first NUL. */
function textAt(bytes: Uint8Array, start: number, length: number): string {
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return String.fromCharCode(...field.subarray(0, end < 0 ? Math.min(field.length, 256) : Math.min(end, 256)));
}
