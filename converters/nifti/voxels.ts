import { UnsupportedImageError } from "../errors.ts";
import type { Voxels } from "../geometry/index.ts";
import type { NiftiHeader } from "./header.ts";

/**
 * Stored bytes as scaled values. Their kind is the stored one where nothing is scaled; 64-bit integers and scaled
 * values come in the smallest kind that holds them exactly, or as floating point.
 * @param bytes one volume's, aligned to its data type; swapped in place where the file is big endian
 * @throws UnsupportedImageError "unsupported-datatype" for 64-bit integers beyond 2^53; "invalid-header"
 */
export function decodeVoxels(bytes: Uint8Array, header: NiftiHeader): Voxels {
  if (!header.littleEndian) swap(bytes, header.dataType.bytes);
  const stored = storedVoxels(bytes, header);
  const { slope, intercept } = header;
  if (slope === 0 || !Number.isFinite(slope)) return stored;
  if (!Number.isFinite(intercept)) {
    throw new UnsupportedImageError("invalid-header", "The header's scaling has no usable intercept. Export it again.");
  }
  return slope === 1 && intercept === 0 ? stored : scaled(stored, slope, intercept);
}

function storedVoxels({ buffer, byteOffset, byteLength }: Uint8Array, { dataType }: NiftiHeader): Voxels {
  const length = byteLength / dataType.bytes;
  switch (dataType.name) {
    case "uint8":
      return new Uint8Array(buffer, byteOffset, length);
    case "int8":
      return new Int8Array(buffer, byteOffset, length);
    case "int16":
      return new Int16Array(buffer, byteOffset, length);
    case "uint16":
      return new Uint16Array(buffer, byteOffset, length);
    case "int32":
      return new Int32Array(buffer, byteOffset, length);
    case "uint32":
      return new Uint32Array(buffer, byteOffset, length);
    case "float32":
      return new Float32Array(buffer, byteOffset, length);
    case "float64":
      return new Float64Array(buffer, byteOffset, length);
    case "int64":
    case "uint64":
      return narrowed(new Uint32Array(buffer, byteOffset, length * 2), dataType.name === "int64");
    default:
      return dataType.name satisfies never;
  }
}

/** 64-bit integers, lower word first, as int32 where all fit, else as float64. */
function narrowed(words: Uint32Array, signed: boolean): Int32Array | Float64Array {
  let fits = true;
  for (let w = 0; w < words.length && fits; w += 2) {
    const low = words[w]! | 0;
    fits = (words[w + 1]! | 0) === (signed ? low >> 31 : 0) && (signed || low >= 0);
  }
  const out = fits ? new Int32Array(words.length / 2) : new Float64Array(words.length / 2);
  for (let n = 0, w = 0; n < out.length; n++, w += 2) {
    const value = (signed ? words[w + 1]! | 0 : words[w + 1]!) * 2 ** 32 + words[w]!;
    if (!Number.isSafeInteger(value)) {
      const explanation =
        "The image holds 64-bit integers beyond 2^53, which cannot be kept exactly. Convert the image.";
      throw new UnsupportedImageError("unsupported-datatype", explanation);
    }
    out[n] = value;
  }
  return out;
}

/** slope * stored + intercept, computed in float64. */
function scaled(stored: Voxels, slope: number, intercept: number): Voxels {
  const floating = stored instanceof Float32Array || stored instanceof Float64Array;
  const whole = !floating && Number.isInteger(slope) && Number.isInteger(intercept);
  const out = whole ? wholeArray(stored, slope, intercept) : floatArray(stored);
  const block = new Float64Array(4096);
  for (let start = 0; start < stored.length; start += block.length) {
    const part = stored.subarray(start, start + block.length);
    block.set(part);
    for (let b = 0; b < part.length; b++) block[b] = block[b]! * slope + intercept;
    out.set(part.length < block.length ? block.subarray(0, part.length) : block, start);
  }
  return out;
}

/** float32 holds every scaled value of 16 bits as well as the file's own float32 slope does. */
function floatArray(stored: Voxels): Float32Array | Float64Array {
  const wide = stored.BYTES_PER_ELEMENT > 2 && !(stored instanceof Float32Array);
  return wide ? new Float64Array(stored.length) : new Float32Array(stored.length);
}

function wholeArray(stored: Voxels, slope: number, intercept: number): Int16Array | Int32Array | Float64Array {
  let [least, most] = [Infinity, -Infinity];
  for (const value of stored) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const ends = [least, most].map((value) => value * slope + intercept);
  const fits = (bits: number) => ends.every((value) => value >= -(2 ** (bits - 1)) && value < 2 ** (bits - 1));
  if (fits(16)) return new Int16Array(stored.length);
  return fits(32) ? new Int32Array(stored.length) : new Float64Array(stored.length);
}

function swap({ buffer, byteOffset, byteLength }: Uint8Array, bytes: number): void {
  const view = Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
  if (bytes === 2) view.swap16();
  if (bytes === 4) view.swap32();
  if (bytes === 8) view.swap64();
}
