import { UnsupportedImageError } from "../errors.ts";
import type { TextDecode } from "./character-set.ts";
import { entryOfTag, hexOfTag } from "./dictionary.ts";
import { hasLongHeader, type Vr, vrOfBytes } from "./value-representation.ts";

/** How the elements of a data set are written (PS3.5 chapter 7 and annex A). */
export interface Encoding {
  readonly explicitVr: boolean;
  readonly littleEndian: boolean;
}

/** Where a reading stands, and what the elements read so far have settled. */
export interface Reading {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  offset: number;
  encoding: Encoding;
  text: TextDecode;
  signedPixels: boolean;
  elementsLeft: number;
}

/** What stands before an element's value. */
export interface ElementHeader {
  readonly tag: number;
  readonly vr: Vr;
  /** UNDEFINED_LENGTH, or the bytes of the value, which are all there. */
  readonly length: number;
}

export const UNDEFINED_LENGTH = 0xffffffff;
export const ITEM = 0xfffee000;
export const ITEM_END = 0xfffee00d;
export const SEQUENCE_END = 0xfffee0dd;

/**
 * Reads the header of the element where the reading stands, and moves to its value.
 *
 * @param limit the end of what holds the element; a value that reaches beyond it is refused.
 * @throws UnsupportedImageError "truncated" | "invalid-header"
 */
export function readHeader(reading: Reading, limit: number): ElementHeader {
  const { bytes, view, encoding } = reading;
  const { littleEndian } = encoding;
  const at = reading.offset;
  if (at + 8 > limit) throw truncated(at);
  const tag = peekTag(reading);
  let vr: Vr;
  let length: number;
  if (!encoding.explicitVr || tag >>> 16 === 0xfffe) {
    vr = implicitVr(reading, tag);
    length = view.getUint32(at + 4, littleEndian);
    reading.offset = at + 8;
  } else {
    const known = vrOfBytes(bytes[at + 4]!, bytes[at + 5]!);
    if (known === undefined) throw invalid(`Element ${hexOfTag(tag)} at byte ${at} has no value representation.`);
    vr = known;
    if (hasLongHeader(vr)) {
      if (at + 12 > limit) throw truncated(at);
      length = view.getUint32(at + 8, littleEndian);
      reading.offset = at + 12;
    } else {
      length = view.getUint16(at + 6, littleEndian);
      reading.offset = at + 8;
    }
  }
  if (length !== UNDEFINED_LENGTH && length > limit - reading.offset) {
    if (limit < bytes.length) throw invalid(`Element ${hexOfTag(tag)} at byte ${at} is longer than what holds it.`);
    throw truncated(at);
  }
  return { tag, vr, length };
}

function implicitVr(reading: Reading, tag: number): Vr {
  const entry = entryOfTag(tag);
  if (entry !== undefined) return entry.signedByPixelRepresentation && reading.signedPixels ? "SS" : entry.vr;
  const isPrivateCreator = (tag & 0x10000) !== 0 && (tag & 0xffff) >= 0x10 && (tag & 0xffff) <= 0xff;
  return isPrivateCreator ? "LO" : "UN";
}

/** The tag of the element where the reading stands, without moving. */
export function peekTag({ bytes, offset, encoding }: Reading): number {
  if (offset + 4 > bytes.length) throw truncated(offset);
  const a = bytes[offset]!;
  const b = bytes[offset + 1]!;
  const c = bytes[offset + 2]!;
  const d = bytes[offset + 3]!;
  return encoding.littleEndian
    ? ((b << 24) | (a << 16) | (d << 8) | c) >>> 0
    : ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

export function truncated(offset: number): UnsupportedImageError {
  return new UnsupportedImageError(
    "truncated",
    `The DICOM file ends inside an element that starts at byte ${offset}. It was cut short; export or send it again.`,
  );
}

export function invalid(problem: string): UnsupportedImageError {
  return new UnsupportedImageError("invalid-header", `${problem} The DICOM file is damaged; export it again.`);
}
