import type { Random } from "./random.ts";

type Mutation = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

/** Lengths, counts and offsets that readers get wrong. */
const ODD_NUMBERS = [0, 1, 2, 3, 7, 0x7f, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
const ODD_TEXTS = ["0", "-1", "1e9", "1e308", "NaN", "99999999", "0\\0\\0", "\\\\\\", "1.5", "-0.0", "é", "\0\0"];
const LONG_VRS = ["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "UC", "UN", "UR", "UT"];
const VRS = [..."AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split(" "), ...LONG_VRS];
/** Where readers decide what a file is. */
const HEADER_BYTES = 4096;

/** Changes a copy of `bytes` in one to four ways. */
export function mutated(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  let changed: Uint8Array = bytes.slice();
  for (let n = 1 + random.below(4); n > 0 && changed.length > 0; n--) {
    changed = random.pick(MUTATIONS)(changed, random, other);
  }
  return changed;
}

const flipBits: Mutation = (bytes, random) => {
  for (let n = 1 + random.below(16); n > 0; n--) bytes[place(bytes, random)]! ^= 1 << random.below(8);
  return bytes;
};

const truncate: Mutation = (bytes, random) => bytes.slice(0, random.below(bytes.length));

/** Of a DICOM element in explicit VR, or of anything where there is none. */
const lieAboutLength: Mutation = (bytes, random) => {
  const view = viewOf(bytes);
  const at = elementAt(bytes, random);
  const number = random.chance(0.5) ? random.pick(ODD_NUMBERS) : random.below(bytes.length * 2);
  if (at === undefined) return overwriteNumber(bytes, random, bytes);
  const long = LONG_VRS.includes(vrAt(bytes, at));
  if (long && at + 12 <= bytes.length) view.setUint32(at + 8, number >>> 0, true);
  else view.setUint16(at + 6, number & 0xffff, true);
  return bytes;
};

const changeVr: Mutation = (bytes, random) => {
  const at = elementAt(bytes, random);
  if (at !== undefined) bytes.set(Buffer.from(random.pick(VRS)), at + 4);
  return bytes;
};

const swapTags: Mutation = (bytes, random) => {
  const [a, b] = [elementAt(bytes, random), elementAt(bytes, random)];
  if (a === undefined || b === undefined) return bytes;
  const tag = bytes.slice(a, a + 4);
  bytes.copyWithin(a, b, b + 4);
  bytes.set(tag, b);
  return bytes;
};

const overwriteNumber: Mutation = (bytes, random) => {
  const size = random.pick([1, 2, 4, 8]);
  if (bytes.length < size) return bytes;
  const [view, at] = [viewOf(bytes), Math.min(place(bytes, random), bytes.length - size)];
  const number = random.pick(ODD_NUMBERS);
  const little = random.chance(0.8);
  if (size === 1) view.setUint8(at, number & 0xff);
  else if (size === 2) view.setUint16(at, number & 0xffff, little);
  else if (size === 4) view.setUint32(at, number >>> 0, little);
  else view.setFloat64(at, random.pick([Number.NaN, Number.POSITIVE_INFINITY, -1e300, 0, number]), little);
  return bytes;
};

/** The value of a short element, over what is there. */
const overwriteText: Mutation = (bytes, random) => {
  const at = elementAt(bytes, random);
  if (at !== undefined)
    bytes.set(Buffer.from(random.pick(ODD_TEXTS), "latin1").subarray(0, bytes.length - at - 8), at + 8);
  return bytes;
};

/** A piece of this file or another, slipped in or put over what is there. */
const splice: Mutation = (bytes, random, other) => {
  const from = random.chance(0.5) ? bytes : other;
  const start = random.below(from.length);
  const piece = from.slice(start, start + 1 + random.below(random.chance(0.8) ? 256 : 65_536));
  const at = place(bytes, random);
  const rest = random.chance(0.5) ? at : Math.min(at + piece.length, bytes.length);
  return joined([bytes.subarray(0, at), piece, bytes.subarray(rest)]);
};

const cutOut: Mutation = (bytes, random) => {
  const at = place(bytes, random);
  const end = at + 1 + random.below(random.chance(0.8) ? 64 : bytes.length);
  return joined([bytes.subarray(0, at), bytes.subarray(Math.min(end, bytes.length))]);
};

const MUTATIONS: readonly Mutation[] = [
  flipBits,
  flipBits,
  truncate,
  lieAboutLength,
  lieAboutLength,
  changeVr,
  swapTags,
  overwriteNumber,
  overwriteNumber,
  overwriteText,
  splice,
  cutOut,
];

/** Half of the time where the header is. */
function place(bytes: Uint8Array, random: Random): number {
  return random.below(random.chance(0.5) ? Math.min(bytes.length, HEADER_BYTES) : bytes.length);
}

/** The start of what looks like an element in explicit VR, searched from a random place on. */
function elementAt(bytes: Uint8Array, random: Random): number | undefined {
  const start = place(bytes, random);
  const end = Math.min(bytes.length - 8, start + HEADER_BYTES);
  for (let at = start; at < end; at++) if (VRS.includes(vrAt(bytes, at))) return at;
  return undefined;
}

function vrAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(bytes[at + 4]!, bytes[at + 5]!);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
