import { firstText, readPart10 } from "#converters/dicom/index.ts";

const SOP_INSTANCE_UID = 0x0008_0018;
const MAGIC = 0x4d434944;
const FIRST_ELEMENT = 132;
/** PS3.5 section 7.1.2: these VRs have a length of four bytes, two bytes further on. */
const LONG_VR = /^(?:OB|OD|OF|OL|OV|OW|SQ|SV|UC|UN|UR|UT|UV)$/;
const UNDEFINED_LENGTH = 0xffff_ffff;

/**
 * SOP Instance UID (0008,0018) of a DICOM file, or undefined where it is no DICOM file or has none. The data set's own,
 * not the file meta information's: anonymisers change the one and forget the other.
 */
export function sopInstanceUidOf(part10: Uint8Array): string | undefined {
  const view = new DataView(part10.buffer, part10.byteOffset, part10.byteLength);
  if (part10.length < FIRST_ELEMENT + 12 || view.getUint32(128, true) !== MAGIC) return undefined;
  return scan(part10, view) ?? parse(part10);
}

/** A few elements stand before it in little-endian files; whatever is out of the ordinary is left to the full reader. */
function scan(bytes: Uint8Array, view: DataView): string | undefined {
  let explicit = true;
  for (let at = FIRST_ELEMENT; at + 12 <= bytes.length; ) {
    const group = view.getUint16(at, true);
    const tag = ((group << 16) | view.getUint16(at + 2, true)) >>> 0;
    const vr = String.fromCharCode(bytes[at + 4]!, bytes[at + 5]!);
    if (group > 2) explicit = /^[A-Z]{2}$/.test(vr);
    const long = explicit && LONG_VR.test(vr);
    const length = !explicit
      ? view.getUint32(at + 4, true)
      : long
        ? view.getUint32(at + 8, true)
        : view.getUint16(at + 6, true);
    const start = at + (long ? 12 : 8);
    if (tag > SOP_INSTANCE_UID || length === UNDEFINED_LENGTH || start + length > bytes.length) return undefined;
    if (tag === SOP_INSTANCE_UID) {
      const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString("latin1");
      return text.replace(/[\0 ]+$/, "") || undefined;
    }
    at = start + length;
  }
  return undefined;
}

function parse(part10: Uint8Array): string | undefined {
  try {
    return firstText(readPart10(part10, { stopBeforePixels: true }).dataSet, "SOPInstanceUID");
  } catch {
    return undefined;
  }
}
