import { entryOfKeyword } from "./dictionary.ts";
import type { Elements } from "./elements.ts";
import { type ValueField, valueField, writeValueField } from "./value-field.ts";
import { hasLongHeader, type Vr } from "./value-representation.ts";

const ITEM_HEADER = 8;
const LARGEST_SHORT_LENGTH = 0xfffe;
const LARGEST_LONG_LENGTH = 0xfffffffe;

/** Whether VRs are written (PS3.5 section 7.1). */
export type VrEncoding = "explicit" | "implicit";

/** A data set whose elements are in order of tag and whose sizes are known; `length` in bytes. */
export interface Layout {
  readonly fields: readonly Field[];
  readonly encoding: VrEncoding;
  readonly length: number;
}

interface Field {
  readonly tag: number;
  readonly vr: Vr;
  /** Of the value field, without the element's header. */
  readonly length: number;
  readonly value: ValueField | { readonly kind: "items"; readonly items: readonly Layout[] };
}

/** What was laid out of lists of items that stand in several places: frames of a SEG share what they say of their slice. */
type SharedItems = Map<readonly Elements[], { readonly signed: boolean; readonly field: Field }>;

/**
 * The data set in order of tag, with the size of each element.
 *
 * @param encoding explicit VR where absent; implicit VR is for values longer than a VR of 16-bit length can hold
 * @param signedByParent what "US or SS" means where this data set has no Pixel Representation of its own
 * @param shared grows; the items must not change
 * @throws RangeError where a keyword is not in PS3.6, or a value does not fit its VR
 */
export function layOut(
  dataSet: Elements,
  encoding: VrEncoding = "explicit",
  signedByParent = false,
  shared: SharedItems = new Map(),
): Layout {
  const signed = dataSet.PixelRepresentation === undefined ? signedByParent : dataSet.PixelRepresentation === 1;
  const fields: Field[] = [];
  let length = 0;
  for (const [keyword, given] of Object.entries(dataSet)) {
    if (given === undefined) continue;
    const field = layOutElement(keyword, given, encoding, signed, dataSet, shared);
    fields.push(field);
    length += headerLength(field.vr, encoding) + field.length;
  }
  fields.sort((a, b) => a.tag - b.tag);
  return { fields, encoding, length };
}

function layOutElement(
  keyword: string,
  given: NonNullable<Elements[string]>,
  encoding: VrEncoding,
  signed: boolean,
  dataSet: Elements,
  shared: SharedItems,
): Field {
  const entry = entryOfKeyword(keyword);
  if (entry === undefined) throw new RangeError(`"${keyword}" is not a keyword of PS3.6`);
  const { tag } = entry;
  if (entry.vr === "SQ") {
    if (!isItems(given)) throw new RangeError(`${keyword} is a sequence: it must be given as a list of data sets`);
    const known = shared.get(given);
    if (known !== undefined && known.signed === signed && known.field.tag === tag) return known.field;
    const items = given.map((item) => layOut(item, encoding, signed, shared));
    const length = items.reduce((sum, item) => sum + ITEM_HEADER + item.length, 0);
    const field: Field = {
      tag,
      vr: "SQ",
      length: checkLength(keyword, "SQ", encoding, length),
      value: { kind: "items", items },
    };
    shared.set(given, { signed, field });
    return field;
  }
  if (isItems(given) && given.length > 0) throw new RangeError(`${keyword} is ${entry.vr}, not a sequence`);
  const vr = chooseVr(entry, signed, dataSet);
  const value = valueField(keyword, vr, given as Exclude<typeof given, readonly Elements[]>);
  return { tag, vr, length: checkLength(keyword, vr, encoding, value.length), value };
}

/** PS3.5 annex A.2: pixel data of at most 8 bits allocated may be OB, of more must be OW. */
function chooseVr(
  entry: { readonly keyword: string; readonly vr: Vr; readonly signedByPixelRepresentation: boolean },
  signed: boolean,
  dataSet: Elements,
): Vr {
  if (entry.signedByPixelRepresentation) return signed ? "SS" : "US";
  if (entry.keyword === "PixelData" && Number(dataSet.BitsAllocated) <= 8) return "OB";
  return entry.vr;
}

function isItems(given: NonNullable<Elements[string]>): given is readonly Elements[] {
  return Array.isArray(given) && given.every((item) => typeof item === "object");
}

function headerLength(vr: Vr, encoding: VrEncoding): number {
  return encoding === "explicit" && hasLongHeader(vr) ? 12 : 8;
}

function checkLength(keyword: string, vr: Vr, encoding: VrEncoding, length: number): number {
  const long = encoding === "implicit" || hasLongHeader(vr);
  if (length <= (long ? LARGEST_LONG_LENGTH : LARGEST_SHORT_LENGTH)) return length;
  throw new RangeError(`${keyword}: the value is too long for ${vr}`);
}

/** A file in the making; what is not written yet is zero. */
export interface Writer {
  readonly out: Buffer;
  readonly view: DataView;
}

/** Writes the elements at `start`, little endian; returns the offset behind them. */
export function writeFields(layout: Layout, writer: Writer, start: number): number {
  const { out, view } = writer;
  let offset = start;
  for (const { tag, vr, length, value } of layout.fields) {
    view.setUint16(offset, tag >>> 16, true);
    view.setUint16(offset + 2, tag & 0xffff, true);
    if (layout.encoding === "implicit") view.setUint32(offset + 4, length, true);
    else {
      out[offset + 4] = vr.charCodeAt(0);
      out[offset + 5] = vr.charCodeAt(1);
      if (hasLongHeader(vr)) view.setUint32(offset + 8, length, true);
      else view.setUint16(offset + 6, length, true);
    }
    offset += headerLength(vr, layout.encoding);
    if (value.kind === "items") offset = writeItems(value.items, writer, offset);
    else {
      writeValueField(value, out, view, offset);
      offset += length;
    }
  }
  return offset;
}

function writeItems(items: readonly Layout[], writer: Writer, start: number): number {
  const { view } = writer;
  let offset = start;
  for (const item of items) {
    view.setUint16(offset, 0xfffe, true);
    view.setUint16(offset + 2, 0xe000, true);
    view.setUint32(offset + 4, item.length, true);
    offset = writeFields(item, writer, offset + ITEM_HEADER);
  }
  return offset;
}
