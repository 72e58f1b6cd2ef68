import { UnsupportedImageError } from "../errors.ts";
import { type DataSet, firstText } from "./data-set.ts";
import type { Encoding } from "./element-header.ts";
import { findPixels, type PixelData, type PixelElement } from "./pixel-data.ts";
import { looksExplicit, newReading, readDataSet } from "./read-data-set.ts";
import type { RepeatedElements } from "./repeated-elements.ts";
import { TRANSFER_SYNTAX } from "./transfer-syntax.ts";

export interface DicomFile {
  readonly transferSyntaxUid: string;
  /** The File Meta Information, group 0002 (PS3.10 section 7.1); empty where the file has none. */
  readonly meta: DataSet;
  /** All elements before Pixel Data, without it. */
  readonly dataSet: DataSet;
  readonly pixelData?: PixelData;
}

/** What a deflated file may grow to; more is taken for a decompression bomb. */
const MAX_INFLATED_BYTES = 256 * 1024 * 1024;

/**
 * Reads a DICOM file (PS3.10). Binary values are views on `file`, which must not change while they are used. A file
 * without preamble is read where it starts with group 0002 or 0008 and parses as a data set.
 *
 * @throws UnsupportedImageError "not-dicom" | "truncated" | "invalid-header" | "too-large" (deflated beyond reason)
 */
export function readPart10(file: Uint8Array, options: { readonly stopBeforePixels?: boolean } = {}): DicomFile {
  const bytes = plainBytes(file);
  const { transferSyntaxUid, meta, end } = readMeta(bytes);
  const { dataSet, pixelData } =
    transferSyntaxUid === TRANSFER_SYNTAX.deflatedLittleEndian
      ? readDataSet(inflate(bytes.subarray(end)), 0, EXPLICIT, options)
      : readDataSet(bytes, end, encodingOf(transferSyntaxUid, bytes, end), options);
  return { transferSyntaxUid, meta, dataSet, ...(pixelData && { pixelData }) };
}

/** What comes before the pixels of a file, and where these are. */
export interface BeforePixels extends Omit<DicomFile, "pixelData"> {
  readonly encoding: Encoding;
  readonly pixels: PixelElement;
}

/**
 * Reads the header of a file of `fileLength` bytes out of its first bytes, as `readPart10` does.
 *
 * @param repeated of the file read before
 * @returns undefined where the pixels begin beyond these, or the data set is deflated or big endian.
 * @throws UnsupportedImageError where these bytes alone are no DICOM file
 */
export function readBeforePixels(
  beginning: Uint8Array,
  fileLength: number,
  repeated?: RepeatedElements,
): BeforePixels | undefined {
  const bytes = plainBytes(beginning);
  const { transferSyntaxUid, meta, end } = readMeta(bytes, repeated);
  if (transferSyntaxUid === TRANSFER_SYNTAX.deflatedLittleEndian) return undefined;
  const encoding = encodingOf(transferSyntaxUid, bytes, end);
  if (!encoding.littleEndian) return undefined;
  const { dataSet, end: element } = readDataSet(bytes, end, encoding, {
    stopBeforePixels: true,
    ...(repeated && { repeated }),
  });
  const pixels = findPixels(newReading(bytes, element, encoding), fileLength);
  return pixels && { transferSyntaxUid, meta, dataSet, encoding, pixels };
}

function readMeta(
  bytes: Uint8Array,
  repeated?: RepeatedElements,
): Pick<DicomFile, "transferSyntaxUid" | "meta"> & { readonly end: number } {
  const start = startOfElements(bytes);
  const { dataSet: meta, end } = hasMeta(bytes, start)
    ? readDataSet(bytes, start, EXPLICIT, { within: (tag) => tag >>> 16 === 2, ...(repeated && { repeated }) })
    : { dataSet: {}, end: start };
  const declared = firstText(meta, "TransferSyntaxUID");
  const transferSyntaxUid =
    declared ??
    (looksExplicit(bytes, end) ? TRANSFER_SYNTAX.explicitLittleEndian : TRANSFER_SYNTAX.implicitLittleEndian);
  if (end === bytes.length) {
    throw new UnsupportedImageError("truncated", "The DICOM file ends before its data set. Export or send it again.");
  }
  return { transferSyntaxUid, meta, end };
}

const EXPLICIT: Encoding = { explicitVr: true, littleEndian: true };

function encodingOf(transferSyntaxUid: string, bytes: Uint8Array, start: number): Encoding {
  if (transferSyntaxUid === TRANSFER_SYNTAX.explicitBigEndian) return { explicitVr: true, littleEndian: false };
  // Some writers declare the one and write the other; the first element's VR letters tell.
  return { explicitVr: looksExplicit(bytes, start), littleEndian: true };
}

function startOfElements(bytes: Uint8Array): number {
  if (bytes.length >= 132 && isMagic(bytes, 128)) return 132;
  const group = bytes.length >= 8 ? bytes[0]! | (bytes[1]! << 8) : -1;
  const length = bytes.length >= 8 ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true) : 0;
  if ((group === 2 || group === 8) && (looksExplicit(bytes, 0) || length <= bytes.length)) return 0;
  throw new UnsupportedImageError(
    "not-dicom",
    'This is not a DICOM file: "DICM" is missing at byte 128. Give a DICOM instance (PS3.10).',
  );
}

function hasMeta(bytes: Uint8Array, start: number): boolean {
  return bytes[start] === 2 && bytes[start + 1] === 0;
}

function isMagic(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x44 && bytes[at + 1] === 0x49 && bytes[at + 2] === 0x43 && bytes[at + 3] === 0x4d;
}

function inflate(deflated: Uint8Array): Uint8Array {
  try {
    // Loaded on first use: few files are deflated.
    const { inflateRawSync } = process.getBuiltinModule("node:zlib");
    return plainBytes(inflateRawSync(deflated, { maxOutputLength: MAX_INFLATED_BYTES }));
  } catch (cause) {
    const tooLarge = cause instanceof RangeError;
    throw new UnsupportedImageError(
      tooLarge ? "too-large" : "truncated",
      tooLarge
        ? `The deflated DICOM file grows beyond ${MAX_INFLATED_BYTES >> 20} MiB. Send it in another transfer syntax.`
        : "The deflated part of the DICOM file is damaged or cut short. Export or send it again.",
      { cause },
    );
  }
}

/** The same memory without Buffer's own ways: its `slice` does not copy. */
function plainBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
