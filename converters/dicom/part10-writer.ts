import { deflateRawSync } from "node:zlib";
import { layOut, type Writer, writeFields } from "./data-set-writer.ts";
import type { Elements } from "./elements.ts";
import { TRANSFER_SYNTAX } from "./transfer-syntax.ts";
import { lengthOfPixels, type WrittenPixels, writePixels } from "./written-pixels.ts";

/** Names this software as the writer of a file: Implementation Class UID (0002,0012). */
export const IMPLEMENTATION_CLASS_UID = "2.25.259813732949490507299138188870623654409";

const IMPLEMENTATION_VERSION_NAME = "PARSE3D_0_1";

export interface Part10Options {
  /**
   * Explicit VR Little Endian where absent. Implicit VR is for values that a VR of 16-bit length cannot hold. Deflated is
   * deflated here; frames come compressed in `pixels`.
   */
  readonly transferSyntaxUid?: string;
  /** In place of PixelData in the data set. */
  readonly pixels?: WrittenPixels;
}

/**
 * The data set as a DICOM file (PS3.10), little endian, text in UTF-8: SpecificCharacterSet is written as
 * ISO_IR 192 whatever is given. VRs are PS3.6's; "US or SS" follows PixelRepresentation.
 *
 * @param dataSet needs SOPClassUID and SOPInstanceUID, which also go into the file meta information
 * @throws RangeError where a keyword is not in PS3.6, or a value does not fit its VR
 */
export function writePart10(dataSet: Elements, options: Part10Options = {}): Uint8Array {
  const { transferSyntaxUid = TRANSFER_SYNTAX.explicitLittleEndian, pixels } = options;
  const { SOPClassUID, SOPInstanceUID } = dataSet;
  if (!SOPClassUID || !SOPInstanceUID) throw new RangeError("a DICOM file needs SOPClassUID and SOPInstanceUID");
  const encoding = transferSyntaxUid === TRANSFER_SYNTAX.implicitLittleEndian ? "implicit" : "explicit";
  const body = layOut({ ...dataSet, SpecificCharacterSet: "ISO_IR 192" }, encoding);
  if (body.fields[0]!.tag < FIRST_DATA_SET_TAG) {
    throw new RangeError("groups below 0008 belong to the file meta information, which is written from the data set");
  }
  if (pixels !== undefined && encoding === "implicit") throw new RangeError("pixels are written in explicit VR");
  if (pixels !== undefined && body.fields.at(-1)!.tag >= PIXEL_DATA) {
    throw new RangeError("Pixel Data is the last element, and is given once");
  }
  const meta = layOut({
    FileMetaInformationVersion: Uint8Array.of(0, 1),
    MediaStorageSOPClassUID: SOPClassUID,
    MediaStorageSOPInstanceUID: SOPInstanceUID,
    TransferSyntaxUID: transferSyntaxUid,
    ImplementationClassUID: IMPLEMENTATION_CLASS_UID,
    ImplementationVersionName: IMPLEMENTATION_VERSION_NAME,
  });
  const metaLength = layOut({ FileMetaInformationGroupLength: meta.length });
  const start = PREAMBLE + MAGIC.length + metaLength.length + meta.length;
  const writer = openWriter(start + body.length + (pixels === undefined ? 0 : lengthOfPixels(pixels)));
  writer.out.write(MAGIC, PREAMBLE, "latin1");
  let offset = PREAMBLE + MAGIC.length;
  for (const part of [metaLength, meta, body]) offset = writeFields(part, writer, offset);
  if (pixels !== undefined) writePixels(pixels, writer, offset);
  const { out } = writer;
  const file = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
  return transferSyntaxUid === TRANSFER_SYNTAX.deflatedLittleEndian ? deflated(file, start) : file;
}

const PREAMBLE = 128;
const MAGIC = "DICM";
const FIRST_DATA_SET_TAG = 0x00080000;
const PIXEL_DATA = 0x7fe00010;

function openWriter(length: number): Writer {
  const out = Buffer.alloc(length);
  return { out, view: new DataView(out.buffer, out.byteOffset, out.byteLength) };
}

/** All that follows the file meta information as one raw deflate stream, padded to an even length (PS3.5 section A.5). */
function deflated(file: Uint8Array, start: number): Uint8Array {
  const body = deflateRawSync(file.subarray(start));
  const out = new Uint8Array(start + body.length + (body.length & 1));
  out.set(file.subarray(0, start));
  out.set(body, start);
  return out;
}
