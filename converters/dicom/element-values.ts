import { UnsupportedImageError } from "../errors.ts";
import { ascii, type TextDecode } from "./character-set.ts";
import type { Value } from "./data-set.ts";
import { hexOfTag } from "./dictionary.ts";
import type { Vr } from "./value-representation.ts";

/** Values of one element; longer lists are refused rather than built. */
const MAX_VALUES = 1 << 22;

/** No element without a value needs a list of its own. */
const NONE: readonly Value[] = Object.freeze([]);

/**
 * The values in `bytes` of an element that is not a sequence, as DataSet describes them. `bytes` become the value where the
 * VR is one of OB, OW, UN...: in big-endian files their words are swapped into a copy.
 *
 * @throws UnsupportedImageError "invalid-header" where the length does not suit the VR.
 */
export function elementValues(vr: Vr, bytes: Uint8Array, littleEndian: boolean, text: TextDecode): readonly Value[] {
  if (bytes.length === 0) return NONE;
  switch (vr) {
    case "AE":
    case "AS":
    case "CS":
    case "DA":
    case "DT":
    case "TM":
    case "UI":
      return splitText(ascii(bytes));
    case "LO":
    case "PN":
    case "SH":
    case "UC":
      return splitText(text(bytes));
    case "LT":
    case "ST":
    case "UT":
      return [trimText(text(bytes))];
    case "UR":
      return [trimText(ascii(bytes))];
    case "DS":
    case "IS":
      return splitNumbers(ascii(bytes));
    case "US":
      return binary(bytes, 2, (view, at) => view.getUint16(at, littleEndian));
    case "SS":
      return binary(bytes, 2, (view, at) => view.getInt16(at, littleEndian));
    case "UL":
      return binary(bytes, 4, (view, at) => view.getUint32(at, littleEndian));
    case "SL":
      return binary(bytes, 4, (view, at) => view.getInt32(at, littleEndian));
    case "FL":
      return binary(bytes, 4, (view, at) => view.getFloat32(at, littleEndian));
    case "FD":
      return binary(bytes, 8, (view, at) => view.getFloat64(at, littleEndian));
    case "UV":
      return binary(bytes, 8, (view, at) => Number(view.getBigUint64(at, littleEndian)));
    case "SV":
      return binary(bytes, 8, (view, at) => Number(view.getBigInt64(at, littleEndian)));
    case "AT":
      return binary(bytes, 4, (view, at) =>
        hexOfTag(view.getUint16(at, littleEndian) * 0x10000 + view.getUint16(at + 2, littleEndian)),
      );
    case "OB":
    case "UN":
    case "SQ":
      return [bytes];
    case "OW":
      return [littleEndian ? bytes : swapped(bytes, 2)];
    case "OF":
    case "OL":
      return [littleEndian ? bytes : swapped(bytes, 4)];
    case "OD":
    case "OV":
      return [littleEndian ? bytes : swapped(bytes, 8)];
    default:
      return vr satisfies never;
  }
}

function splitText(text: string): readonly Value[] {
  if (!text.includes("\\")) {
    const only = trimText(text).trimStart();
    return only === "" ? NONE : [only];
  }
  return split(text).map((part) => trimText(part).trimStart());
}

function splitNumbers(text: string): readonly Value[] {
  if (!text.includes("\\")) {
    const only = trimText(text).trimStart();
    return only === "" ? NONE : [Number(only)];
  }
  return split(text).map((part) => {
    const trimmed = trimText(part).trimStart();
    return trimmed === "" ? Number.NaN : Number(trimmed);
  });
}

function split(text: string): string[] {
  const parts = text.split("\\", MAX_VALUES + 1);
  if (parts.length > MAX_VALUES) throw tooManyValues();
  return parts;
}

/** Without the padding at the end: spaces, and the NUL that UI is padded with and that some writers use everywhere. */
function trimText(text: string): string {
  let end = text.length;
  while (end > 0 && (text.charCodeAt(end - 1) === 0x20 || text.charCodeAt(end - 1) === 0)) end--;
  return end === text.length ? text : text.slice(0, end);
}

function binary(bytes: Uint8Array, size: number, read: (view: DataView, at: number) => Value): readonly Value[] {
  if (bytes.length % size !== 0) {
    throw new UnsupportedImageError(
      "invalid-header",
      `An element of ${bytes.length} bytes should hold whole numbers of ${size} bytes. The file is damaged; export it again.`,
    );
  }
  const count = bytes.length / size;
  if (count > MAX_VALUES) throw tooManyValues();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values: Value[] = new Array(count);
  for (let n = 0; n < count; n++) values[n] = read(view, n * size);
  return values;
}

function tooManyValues(): UnsupportedImageError {
  return new UnsupportedImageError(
    "invalid-header",
    `An element of the DICOM header has more than ${MAX_VALUES} values.`,
  );
}

/** A copy with the bytes of each whole word reversed; a part of a word at the end stays as it is. */
function swapped(bytes: Uint8Array, size: 2 | 4 | 8): Uint8Array {
  const copy = bytes.slice();
  const whole = Buffer.from(copy.buffer, 0, copy.length - (copy.length % size));
  if (size === 2) whole.swap16();
  else if (size === 4) whole.swap32();
  else whole.swap64();
  return copy;
}
