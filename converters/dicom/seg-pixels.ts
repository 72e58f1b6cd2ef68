import { bitsFrom } from "./bit-copy.ts";

/** Where the pixels of one frame stand: `bytes` from bit `startBit` on, which is 0 unless a pixel is one bit. */
export interface FrameBytes {
  readonly bytes: Uint8Array;
  readonly startBit: number;
}

/** The pixels of all frames of a SEG, decompressed frame by frame as they are asked for. */
export interface SegPixels {
  readonly type: "BINARY" | "FRACTIONAL" | "LABELMAP";
  /** 1 (packed LSB first), 8 or 16 (little endian). */
  readonly bitsAllocated: number;
  /** The value that means 1 (FRACTIONAL: Maximum Fractional Value); 1 for the other types. */
  readonly highest: number;
  /** @throws UnsupportedImageError "truncated" where a compressed frame is damaged */
  frame(index: number): FrameBytes;
}

/** One frame as numbers, row by row; `count` pixels a frame. */
export function frameValues(pixels: SegPixels, count: number, index: number): Uint8Array | Uint16Array {
  const { bitsAllocated } = pixels;
  if (bitsAllocated === 1) {
    const bits = frameBits(pixels, count, index);
    const out = new Uint8Array(count);
    for (let n = 0; n < count; n++) out[n] = (bits[n >>> 3]! >>> (n & 7)) & 1;
    return out;
  }
  const { bytes } = pixels.frame(index);
  return bitsAllocated === 8 ? bytes : new Uint16Array(bytes.slice().buffer, 0, count);
}

/** As `frameValues`, of pixels that fit a byte. */
export function framePixels(pixels: SegPixels, count: number, index: number): Uint8Array {
  const values = frameValues(pixels, count, index);
  if (values instanceof Uint16Array) throw new RangeError("the labels have 16 bits: read the label volume instead");
  return values;
}

/** One BINARY frame packed LSB first from bit 0 on; bits past the last pixel are zero. */
export function frameBits(pixels: SegPixels, count: number, index: number): Uint8Array {
  const { bytes, startBit } = pixels.frame(index);
  return bitsFrom(bytes, startBit, count);
}

/** One byte a pixel: 1 where the frame says that the pixel belongs to the segment (FRACTIONAL: at least one half). */
export function memberPixels(
  pixels: SegPixels,
  count: number,
  index: number,
  segmentNumber: number,
): Uint8Array | Uint16Array {
  const values = frameValues(pixels, count, index);
  if (pixels.type === "BINARY") return values;
  const members = new Uint8Array(count);
  const half = pixels.highest / 2;
  if (pixels.type === "FRACTIONAL") for (let n = 0; n < count; n++) members[n] = values[n]! >= half ? 1 : 0;
  else for (let n = 0; n < count; n++) members[n] = values[n] === segmentNumber ? 1 : 0;
  return members;
}
