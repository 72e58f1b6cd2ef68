import { CorruptFrameError, type DecodeFrame } from "./frame-codec.ts";
import type { ImagePixelModule } from "./modules.ts";
import type { PixelData } from "./pixel-data.ts";

/** The stored values of one frame, without the bits that do not belong to them; row by row. */
export interface StoredPixels {
  readonly values: Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array;
  readonly smallest: number;
  readonly largest: number;
}

/**
 * The stored values of a single-frame image, in an array of their own: bits outside Bits Stored (old overlays, dirt) are
 * masked away and signed values are sign-extended (PS3.5 section 8.1.1).
 *
 * @throws CorruptFrameError where the bytes are not the pixels that the header describes.
 */
export function decodePixels(pixelData: PixelData, pixel: ImagePixelModule, decode: DecodeFrame): StoredPixels {
  const { Rows: rows, Columns: columns, BitsAllocated: bitsAllocated } = pixel;
  const frame = "value" in pixelData ? pixelData.value : joined(pixelData.fragments);
  const samples = decode(frame, { rows, columns, bitsAllocated });
  const expected = rows * columns * (bitsAllocated >> 3);
  if (samples.length < expected) {
    throw new CorruptFrameError(`${samples.length} bytes where its size asks for ${expected}`);
  }
  return storedValues(samples, rows * columns, pixel);
}

/** A frame may be spread over several fragments (PS3.5 section A.4). */
function joined(fragments: readonly Uint8Array[]): Uint8Array {
  if (fragments.length === 1) return fragments[0]!;
  const whole = new Uint8Array(fragments.reduce((sum, fragment) => sum + fragment.length, 0));
  let offset = 0;
  for (const fragment of fragments) {
    whole.set(fragment, offset);
    offset += fragment.length;
  }
  return whole;
}

function storedValues(samples: Uint8Array, count: number, pixel: ImagePixelModule): StoredPixels {
  const { BitsAllocated: bitsAllocated, BitsStored: bitsStored, HighBit: highBit, PixelRepresentation } = pixel;
  const signed = PixelRepresentation === 1;
  const raw = unsignedWords(samples, count, bitsAllocated);
  const values = emptyLike(bitsAllocated, signed, count);
  // Shifting the value's top bit to bit 31 and back drops what lies above it and extends the sign in one go.
  const left = 31 - highBit;
  const right = 32 - bitsStored;
  let smallest = Number.POSITIVE_INFINITY;
  let largest = Number.NEGATIVE_INFINITY;
  if (signed) {
    for (let n = 0; n < count; n++) {
      const value = (raw[n]! << left) >> right;
      values[n] = value;
      if (value < smallest) smallest = value;
      if (value > largest) largest = value;
    }
  } else {
    for (let n = 0; n < count; n++) {
      const value = (raw[n]! << left) >>> right;
      values[n] = value;
      if (value < smallest) smallest = value;
      if (value > largest) largest = value;
    }
  }
  return { values, smallest, largest };
}

/** The samples as words of the machine, which is little endian like the samples. */
function unsignedWords(
  samples: Uint8Array,
  count: number,
  bitsAllocated: number,
): Uint8Array | Uint16Array | Uint32Array {
  const size = bitsAllocated >> 3;
  const aligned = samples.byteOffset % size === 0 ? samples : samples.slice(0, count * size);
  if (size === 1) return aligned.subarray(0, count);
  return size === 2
    ? new Uint16Array(aligned.buffer, aligned.byteOffset, count)
    : new Uint32Array(aligned.buffer, aligned.byteOffset, count);
}

function emptyLike(bitsAllocated: number, signed: boolean, count: number): StoredPixels["values"] {
  if (bitsAllocated === 8) return signed ? new Int8Array(count) : new Uint8Array(count);
  if (bitsAllocated === 16) return signed ? new Int16Array(count) : new Uint16Array(count);
  return signed ? new Int32Array(count) : new Uint32Array(count);
}
