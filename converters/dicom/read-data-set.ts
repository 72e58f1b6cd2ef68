import { textDecoder } from "./character-set.ts";
import { type DataSet, firstNumber, texts, type Value } from "./data-set.ts";
import { entryOfTag, hexOfTag } from "./dictionary.ts";
import {
  type Encoding,
  ITEM,
  ITEM_END,
  invalid,
  peekTag,
  type Reading,
  readHeader,
  SEQUENCE_END,
  truncated,
  UNDEFINED_LENGTH,
} from "./element-header.ts";
import { elementValues } from "./element-values.ts";
import { PIXEL_DATA, type PixelData, readFragments, readPixelData } from "./pixel-data.ts";
import type { RepeatedElements } from "./repeated-elements.ts";
import { vrOfBytes } from "./value-representation.ts";

const SPECIFIC_CHARACTER_SET = 0x00080005;
const PIXEL_REPRESENTATION = 0x00280103;

/** Real objects nest less than 20 deep. */
const MAX_DEPTH = 64;
/** Bounds what a file of empty elements can make us build. */
const MAX_ELEMENTS = 2_000_000;

export interface ReadingOptions {
  readonly stopBeforePixels?: boolean;
  readonly within?: (tag: number) => boolean;
  /** The data set read before, whose bytes must not have changed. */
  readonly repeated?: RepeatedElements;
}

/**
 * Reads elements from `start` up to the end of the bytes, or as long as `within` holds for their tag, or up to and
 * including Pixel Data (7FE0,0010): what follows it (padding, signatures) is not read.
 *
 * @throws UnsupportedImageError "truncated" | "invalid-header"
 */
export function readDataSet(
  bytes: Uint8Array,
  start: number,
  encoding: Encoding,
  options: ReadingOptions = {},
): { readonly dataSet: DataSet; readonly pixelData?: PixelData; readonly end: number } {
  const reading = newReading(bytes, start, encoding);
  const dataSet: Record<string, readonly Value[]> = {};
  while (reading.offset < bytes.length) {
    const tag = fewZerosLeft(reading) ? 0 : peekTag(reading);
    if (tag === 0) {
      requireZerosToEnd(reading);
      break;
    }
    if (options.within !== undefined && !options.within(tag)) break;
    if (tag === PIXEL_DATA) {
      if (options.stopBeforePixels === true) break;
      const pixelData = readPixelData(reading);
      return { dataSet, pixelData, end: reading.offset };
    }
    const read = () => readElement(reading, dataSet, bytes.length, 0);
    if (options.repeated === undefined) read();
    else if (!options.repeated.take(tag, reading, dataSet)) options.repeated.read(tag, reading, dataSet, read);
  }
  return { dataSet, end: reading.offset };
}

/** Of a data set that does not name its character set. */
const DEFAULT_TEXT = textDecoder([]);

export function newReading(bytes: Uint8Array, start: number, encoding: Encoding): Reading {
  return {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    offset: start,
    encoding,
    text: DEFAULT_TEXT,
    signedPixels: false,
    elementsLeft: MAX_ELEMENTS,
  };
}

/** Whether an element seems to start at `start` in explicit VR: its two VR letters are known. */
export function looksExplicit(bytes: Uint8Array, start: number): boolean {
  return bytes.length >= start + 8 && vrOfBytes(bytes[start + 4]!, bytes[start + 5]!) !== undefined;
}

/** @returns its key; none where the element says nothing */
function readElement(
  reading: Reading,
  dataSet: Record<string, readonly Value[]>,
  limit: number,
  depth: number,
): string | undefined {
  if (--reading.elementsLeft < 0) {
    throw invalid(`The DICOM header has more than ${MAX_ELEMENTS} elements.`);
  }
  const { tag, vr, length } = readHeader(reading, limit);
  const group = tag >>> 16;
  // A stray delimiter says nothing; group lengths are retired, and group 0000 belongs to network commands.
  if (group === 0xfffe && length === 0) return undefined;
  if ((tag & 0xffff) === 0 || group === 0) {
    if (length === UNDEFINED_LENGTH) throw invalid(`Element ${hexOfTag(tag)} has no length.`);
    reading.offset += length;
    return undefined;
  }
  const key = keyOf(tag);
  if (vr === "SQ" || (vr === "UN" && length === UNDEFINED_LENGTH)) {
    // A sequence written as UN is in implicit VR little endian, whatever is around it (PS3.5 section 6.2.2).
    dataSet[key] = withEncoding(reading, vr === "UN" ? IMPLICIT : reading.encoding, () =>
      readSequence(reading, length, limit, depth),
    );
    return key;
  }
  if (length === UNDEFINED_LENGTH) {
    if (vr !== "OB" && vr !== "OW") throw invalid(`Element ${hexOfTag(tag)} has no length.`);
    dataSet[key] = readFragments(reading, limit);
    return key;
  }
  const bytes = reading.bytes.subarray(reading.offset, reading.offset + length);
  const end = reading.offset + length;
  if (vr === "UN") dataSet[key] = unknownValues(reading, tag, bytes, depth);
  else dataSet[key] = elementValues(vr, bytes, reading.encoding.littleEndian, reading.text);
  reading.offset = end;
  if (tag === SPECIFIC_CHARACTER_SET) reading.text = textDecoder(texts(dataSet, key));
  else if (tag === PIXEL_REPRESENTATION) reading.signedPixels = firstNumber(dataSet, key) === 1;
  return key;
}

const IMPLICIT: Encoding = { explicitVr: false, littleEndian: true };

/** A standard element that a relay did not know and passed on as UN is read by its VR, in implicit little endian. */
function unknownValues(reading: Reading, tag: number, bytes: Uint8Array, depth: number): readonly Value[] {
  const entry = entryOfTag(tag);
  if (entry === undefined) return bytes.length === 0 ? [] : [bytes];
  try {
    if (entry.vr !== "SQ") return elementValues(entry.vr, bytes, true, reading.text);
    return withEncoding(reading, IMPLICIT, () =>
      readSequence(reading, bytes.length, reading.offset + bytes.length, depth),
    );
  } catch {
    return [bytes];
  }
}

function withEncoding<T>(reading: Reading, encoding: Encoding, read: () => T): T {
  const outer = reading.encoding;
  reading.encoding = encoding;
  try {
    return read();
  } finally {
    reading.encoding = outer;
  }
}

function readSequence(reading: Reading, length: number, limit: number, depth: number): readonly Value[] {
  if (depth >= MAX_DEPTH) throw invalid(`Sequences are nested more than ${MAX_DEPTH} deep.`);
  const end = length === UNDEFINED_LENGTH ? limit : reading.offset + length;
  const found: Value[] = [];
  // Items keep their own character set and sign of pixels; what they set ends with them.
  const { text, signedPixels } = reading;
  while (reading.offset < end) {
    const header = readHeader(reading, end);
    if (header.tag === SEQUENCE_END) {
      if (length !== UNDEFINED_LENGTH) reading.offset = end;
      return found;
    }
    if (header.tag !== ITEM) throw invalid(`A sequence holds ${hexOfTag(header.tag)} where an item should be.`);
    found.push(readItem(reading, header.length, end, depth + 1));
    reading.text = text;
    reading.signedPixels = signedPixels;
  }
  if (length === UNDEFINED_LENGTH) throw truncated(reading.offset);
  return found;
}

function readItem(reading: Reading, length: number, limit: number, depth: number): DataSet {
  const end = length === UNDEFINED_LENGTH ? limit : reading.offset + length;
  const dataSet: Record<string, readonly Value[]> = {};
  while (reading.offset < end) {
    if (length === UNDEFINED_LENGTH && reading.offset + 8 <= end && peekTag(reading) === ITEM_END) {
      reading.offset += 8;
      return dataSet;
    }
    readElement(reading, dataSet, end, depth);
  }
  if (length === UNDEFINED_LENGTH) throw truncated(reading.offset);
  return dataSet;
}

/** Some writers fill a file up to a block size with zeros; element (0000,0000) means nothing else in a file. */
function requireZerosToEnd({ bytes, offset }: Reading): void {
  for (let n = offset; n < bytes.length; n++) {
    if (bytes[n] !== 0) throw invalid(`No element can start at byte ${offset}, which is zero.`);
  }
}

/** Fewer bytes than a tag has, all zero. */
function fewZerosLeft({ bytes, offset }: Reading): boolean {
  return bytes.length - offset < 4 && bytes.subarray(offset).every((byte) => byte === 0);
}

function keyOf(tag: number): string {
  const entry = entryOfTag(tag);
  return entry !== undefined && entry.tag === tag ? entry.keyword : hexOfTag(tag);
}
