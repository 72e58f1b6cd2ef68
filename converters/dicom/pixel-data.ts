import { hexOfTag } from "./dictionary.ts";
import {
  ITEM,
  invalid,
  peekTag,
  type Reading,
  readHeader,
  SEQUENCE_END,
  truncated,
  UNDEFINED_LENGTH,
} from "./element-header.ts";
import { elementValues } from "./element-values.ts";
import type { Vr } from "./value-representation.ts";

const LONGEST_HEADER = 12;

/** Pixel data as it stands in the file: one value in little-endian order, or the fragments of an encapsulated one. */
export type PixelData =
  | { readonly vr: Vr; readonly value: Uint8Array }
  | { readonly fragments: readonly Uint8Array[]; readonly offsetTable: readonly number[] };

export const PIXEL_DATA = 0x7fe00010;

/** Where Pixel Data (7FE0,0010) lies in a file. */
export interface PixelElement {
  /** Offset of the element. */
  readonly element: number;
  /** Offset of its value. */
  readonly value: number;
  /** Of the value; UNDEFINED_LENGTH where it is fragments. */
  readonly length: number;
}

/**
 * Finds Pixel Data where the reading stands, in the first bytes of a file of `fileLength`; undefined where something else
 * stands there, or nothing more.
 *
 * @throws UnsupportedImageError "truncated" where the file ends before its value does
 */
export function findPixels(reading: Reading, fileLength: number): PixelElement | undefined {
  const { bytes, offset: element } = reading;
  if (bytes.length - element < LONGEST_HEADER || peekTag(reading) !== PIXEL_DATA) return undefined;
  const { length } = readHeader(reading, fileLength);
  return { element, value: reading.offset, length };
}

/** Reads Pixel Data (7FE0,0010), where the reading stands. */
export function readPixelData(reading: Reading): PixelData {
  const { vr, length } = readHeader(reading, reading.bytes.length);
  if (length !== UNDEFINED_LENGTH) {
    const [value] = elementValues(
      vr === "UN" || vr === "OB" ? vr : "OW",
      reading.bytes.subarray(reading.offset, reading.offset + length),
      reading.encoding.littleEndian,
      reading.text,
    );
    reading.offset += length;
    return { vr, value: value instanceof Uint8Array ? value : new Uint8Array(0) };
  }
  const [table, ...fragments] = readFragments(reading, reading.bytes.length);
  if (table === undefined) throw invalid("Encapsulated pixel data has no offset table item.");
  return { fragments, offsetTable: offsets(table) };
}

/** The items of an encapsulated value (PS3.5 section A.4), with the offset table first. */
export function readFragments(reading: Reading, limit: number): Uint8Array[] {
  const fragments: Uint8Array[] = [];
  while (reading.offset < limit) {
    const { tag, length } = readHeader(reading, limit);
    if (tag === SEQUENCE_END) return fragments;
    if (tag !== ITEM || length === UNDEFINED_LENGTH) {
      throw invalid(`Encapsulated data holds ${hexOfTag(tag)} where a fragment should be.`);
    }
    fragments.push(reading.bytes.subarray(reading.offset, reading.offset + length));
    reading.offset += length;
  }
  throw truncated(reading.offset);
}

function offsets(table: Uint8Array): readonly number[] {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  return Array.from({ length: table.length >>> 2 }, (_, n) => view.getUint32(n * 4, true));
}
