import { formatDecimalString } from "./decimal-string.ts";
import type { Vr } from "./value-representation.ts";

/** What one element's value field holds, already in the form that its bytes take. */
export type ValueField =
  | { readonly kind: "text"; readonly text: string; readonly padding: number; readonly length: number }
  | {
      readonly kind: "numbers";
      readonly format: NumberFormat;
      readonly numbers: readonly number[];
      readonly length: number;
    }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array; readonly length: number };

/**
 * The value field of an element of this VR; its length is even (PS3.5 section 7.1.1).
 * @throws RangeError where the VR cannot hold the value; the message names the element, never the value.
 */
export function valueField(
  keyword: string,
  vr: Vr,
  given: string | number | Uint8Array | readonly (string | number)[],
): ValueField {
  if (given instanceof Uint8Array) {
    if (!BYTE_VRS.has(vr)) throw new RangeError(`${keyword} is ${vr}: it cannot be given as bytes`);
    return { kind: "bytes", bytes: given, length: given.length + (given.length & 1) };
  }
  const values = typeof given === "string" || typeof given === "number" ? [given] : given;
  const format = NUMBER_FORMATS[vr];
  if (format !== undefined) return numbersOf(keyword, vr, format, values);
  if (BYTE_VRS.has(vr)) throw new RangeError(`${keyword} is ${vr}: it must be given as bytes`);
  const text = values.map((value) => textOf(keyword, vr, value)).join("\\");
  const length = Buffer.byteLength(text, "utf8");
  return { kind: "text", text, padding: vr === "UI" ? 0 : SPACE, length: length + (length & 1) };
}

/** Writes the value field at `offset`; the bytes from there to its length must be zero. */
export function writeValueField(value: ValueField, out: Buffer, view: DataView, offset: number): void {
  switch (value.kind) {
    case "bytes":
      out.set(value.bytes, offset);
      return;
    case "numbers":
      for (let n = 0, at = offset; n < value.numbers.length; n++, at += value.format.size) {
        value.format.write(view, at, value.numbers[n]!);
      }
      return;
    case "text": {
      const written = out.write(value.text, offset, "utf8");
      if (written < value.length) out[offset + written] = value.padding;
      return;
    }
    default:
      value satisfies never;
  }
}

const SPACE = 0x20;

/** VRs whose value is text of one value, in which "\" is an ordinary character (PS3.5 section 6.2). */
const SINGLE_TEXTS: ReadonlySet<Vr> = new Set(["LT", "ST", "UT", "UR"]);

const BYTE_VRS: ReadonlySet<Vr> = new Set(["OB", "OD", "OF", "OL", "OV", "OW", "UN"]);

function textOf(keyword: string, vr: Vr, value: string | number): string {
  if (vr === "DS") {
    const text = typeof value === "number" ? formatDecimalString(value) : value;
    if (text.length > 16) throw new RangeError(`${keyword}: a decimal string has at most 16 characters`);
    return text;
  }
  if (vr === "IS") {
    if (typeof value === "number" && (!Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 31)) {
      throw new RangeError(`${keyword}: an integer string holds integers of 32 bits`);
    }
    return String(value);
  }
  if (typeof value === "number") throw new RangeError(`${keyword} is ${vr}: it must be given as text`);
  if (vr === "UI" && !/^[0-9.]{0,64}$/.test(value)) {
    throw new RangeError(`${keyword}: a UID is at most 64 digits and dots`);
  }
  if (value.includes("\\") && !SINGLE_TEXTS.has(vr)) {
    throw new RangeError(`${keyword}: "\\" separates values; give several values as a list`);
  }
  return value;
}

interface NumberFormat {
  readonly size: number;
  readonly lowest: number;
  readonly highest: number;
  write(view: DataView, offset: number, value: number): void;
}

/** AT is a group and an element number: its text of 8 hex digits is kept as one 32-bit number. */
const NUMBER_FORMATS: Partial<Record<Vr, NumberFormat>> = {
  US: { size: 2, lowest: 0, highest: 0xffff, write: (view, at, value) => view.setUint16(at, value, true) },
  SS: { size: 2, lowest: -0x8000, highest: 0x7fff, write: (view, at, value) => view.setInt16(at, value, true) },
  UL: { size: 4, lowest: 0, highest: 0xffffffff, write: (view, at, value) => view.setUint32(at, value, true) },
  SL: { size: 4, lowest: -(2 ** 31), highest: 2 ** 31 - 1, write: (view, at, value) => view.setInt32(at, value, true) },
  AT: {
    size: 4,
    lowest: 0,
    highest: 0xffffffff,
    write: (view, at, value) => {
      view.setUint16(at, value >>> 16, true);
      view.setUint16(at + 2, value & 0xffff, true);
    },
  },
  UV: {
    size: 8,
    lowest: 0,
    highest: Number.MAX_SAFE_INTEGER,
    write: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
  },
  SV: {
    size: 8,
    lowest: Number.MIN_SAFE_INTEGER,
    highest: Number.MAX_SAFE_INTEGER,
    write: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
  },
  FL: { size: 4, lowest: -Infinity, highest: Infinity, write: (view, at, value) => view.setFloat32(at, value, true) },
  FD: { size: 8, lowest: -Infinity, highest: Infinity, write: (view, at, value) => view.setFloat64(at, value, true) },
};

function numbersOf(
  keyword: string,
  vr: Vr,
  format: NumberFormat,
  values: readonly (string | number)[],
): ValueField & { kind: "numbers" } {
  const numbers = values.map((value) => {
    if (vr === "AT" && typeof value === "string" && /^[0-9A-F]{8}$/.test(value)) return Number.parseInt(value, 16);
    if (typeof value === "string") throw new RangeError(`${keyword} is ${vr}: it must be given as a number`);
    const fits = value >= format.lowest && value <= format.highest;
    const whole = vr === "FL" || vr === "FD" || Number.isInteger(value);
    if (!(fits && whole)) throw new RangeError(`${keyword}: the number does not fit ${vr}`);
    return value;
  });
  return { kind: "numbers", format, numbers, length: numbers.length * format.size };
}
