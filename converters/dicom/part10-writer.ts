import { entryOfKeyword } from "./dictionary.ts";
import { TRANSFER_SYNTAX } from "./transfer-syntax.ts";
import { type ValueField, valueField, writeValueField } from "./value-field.ts";
import { hasLongHeader, type Vr } from "./value-representation.ts";

/**
 * A data set to write, by PS3.6 keyword. Numbers for IS, DS and the binary numbers, 8 upper-case hex digits for AT, a
 * list where there are several values, a list of data sets for a sequence, bytes for OB and OW. "" and [] write an
 * element without a value (type 2); undefined writes nothing.
 */
export interface Elements {
  readonly [keyword: string]:
    | string
    | number
    | readonly (string | number)[]
    | readonly Elements[]
    | Uint8Array
    | undefined;
}

/** Names this software as the writer of a file: Implementation Class UID (0002,0012). */
const IMPLEMENTATION_CLASS_UID = "2.25.259813732949490507299138188870623654409";

const IMPLEMENTATION_VERSION_NAME = "PARSE3D_0_1";

/**
 * The data set as a DICOM file (PS3.10), explicit little endian, text in UTF-8: SpecificCharacterSet is written as
 * ISO_IR 192 whatever is given. VRs are PS3.6's; "US or SS" follows PixelRepresentation.
 *
 * @param dataSet needs SOPClassUID and SOPInstanceUID, which also go into the file meta information
 * @throws RangeError where a keyword is not in PS3.6, or a value does not fit its VR
 */
export function writePart10(dataSet: Elements): Uint8Array {
  const { SOPClassUID, SOPInstanceUID } = dataSet;
  if (!SOPClassUID || !SOPInstanceUID) throw new RangeError("a DICOM file needs SOPClassUID and SOPInstanceUID");
  const body = layOut({ ...dataSet, SpecificCharacterSet: "ISO_IR 192" }, false);
  if (body.fields[0]!.tag < FIRST_DATA_SET_TAG) {
    throw new RangeError("groups below 0008 belong to the file meta information, which is written from the data set");
  }
  const meta = layOut(
    {
      FileMetaInformationVersion: Uint8Array.of(0, 1),
      MediaStorageSOPClassUID: SOPClassUID,
      MediaStorageSOPInstanceUID: SOPInstanceUID,
      TransferSyntaxUID: TRANSFER_SYNTAX.explicitLittleEndian,
      ImplementationClassUID: IMPLEMENTATION_CLASS_UID,
      ImplementationVersionName: IMPLEMENTATION_VERSION_NAME,
    },
    false,
  );
  const metaLength = layOut({ FileMetaInformationGroupLength: meta.length }, false);
  const out = Buffer.alloc(PREAMBLE + MAGIC.length + metaLength.length + meta.length + body.length);
  const writer = { out, view: new DataView(out.buffer, out.byteOffset, out.byteLength) };
  out.write(MAGIC, PREAMBLE, "latin1");
  let offset = PREAMBLE + MAGIC.length;
  for (const part of [metaLength, meta, body]) offset = writeFields(part, writer, offset);
  return new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
}

const PREAMBLE = 128;
const MAGIC = "DICM";
const FIRST_DATA_SET_TAG = 0x00080000;
const ITEM_HEADER = 8;
const LARGEST_SHORT_LENGTH = 0xfffe;
const LARGEST_LONG_LENGTH = 0xfffffffe;

/** A data set whose elements are in order of tag and whose sizes are known; `length` in bytes. */
interface Layout {
  readonly fields: readonly Field[];
  readonly length: number;
}

interface Field {
  readonly tag: number;
  readonly vr: Vr;
  /** Of the value field, without the element's header. */
  readonly length: number;
  readonly value: ValueField | { readonly kind: "items"; readonly items: readonly Layout[] };
}

function layOut(dataSet: Elements, signedByParent: boolean): Layout {
  const signed = dataSet.PixelRepresentation === undefined ? signedByParent : dataSet.PixelRepresentation === 1;
  const fields: Field[] = [];
  let length = 0;
  for (const [keyword, given] of Object.entries(dataSet)) {
    if (given === undefined) continue;
    const field = layOutElement(keyword, given, signed, dataSet);
    fields.push(field);
    length += headerLength(field.vr) + field.length;
  }
  fields.sort((a, b) => a.tag - b.tag);
  return { fields, length };
}

function layOutElement(
  keyword: string,
  given: NonNullable<Elements[string]>,
  signed: boolean,
  dataSet: Elements,
): Field {
  const entry = entryOfKeyword(keyword);
  if (entry === undefined) throw new RangeError(`"${keyword}" is not a keyword of PS3.6`);
  const { tag } = entry;
  if (entry.vr === "SQ") {
    if (!isItems(given)) throw new RangeError(`${keyword} is a sequence: it must be given as a list of data sets`);
    const items = given.map((item) => layOut(item, signed));
    const length = items.reduce((sum, item) => sum + ITEM_HEADER + item.length, 0);
    return { tag, vr: "SQ", length: checkLength(keyword, "SQ", length), value: { kind: "items", items } };
  }
  if (isItems(given) && given.length > 0) throw new RangeError(`${keyword} is ${entry.vr}, not a sequence`);
  const vr = chooseVr(entry, signed, dataSet);
  const value = valueField(keyword, vr, given as Exclude<typeof given, readonly Elements[]>);
  return { tag, vr, length: checkLength(keyword, vr, value.length), value };
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

function headerLength(vr: Vr): number {
  return hasLongHeader(vr) ? 12 : 8;
}

function checkLength(keyword: string, vr: Vr, length: number): number {
  if (length <= (hasLongHeader(vr) ? LARGEST_LONG_LENGTH : LARGEST_SHORT_LENGTH)) return length;
  throw new RangeError(`${keyword}: the value is too long for ${vr}`);
}

interface Writer {
  readonly out: Buffer;
  readonly view: DataView;
}

/** Writes the elements at `start`; returns the offset behind them. */
function writeFields(layout: Layout, writer: Writer, start: number): number {
  const { out, view } = writer;
  let offset = start;
  for (const { tag, vr, length, value } of layout.fields) {
    view.setUint16(offset, tag >>> 16, true);
    view.setUint16(offset + 2, tag & 0xffff, true);
    out[offset + 4] = vr.charCodeAt(0);
    out[offset + 5] = vr.charCodeAt(1);
    if (hasLongHeader(vr)) view.setUint32(offset + 8, length, true);
    else view.setUint16(offset + 6, length, true);
    offset += headerLength(vr);
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
