import { inflateRawSync } from "node:zlib";
import { UnsupportedImageError } from "../errors.ts";
import { packBits } from "../mask/index.ts";
import { openRle } from "./codec-rle.ts";
import { CorruptFrameError, type DecodeFrame } from "./frame-codec.ts";
import type { PixelData } from "./pixel-data.ts";
import type { FrameBytes } from "./seg-pixels.ts";
import { nameOfTransferSyntax, TRANSFER_SYNTAX } from "./transfer-syntax.ts";

/** How many frames there are, and what each must come to. */
export interface SegFrameShape {
  readonly frames: number;
  readonly rows: number;
  readonly columns: number;
  readonly bitsAllocated: number;
}

/**
 * The frames of a SEG's pixel data.
 *
 * @param decode for transfer syntaxes other than uncompressed, RLE and deflated frames
 * @throws UnsupportedImageError "truncated" | "unsupported-datatype"; "truncated" also later, frame by frame
 */
export function frameReader(
  pixelData: PixelData,
  transferSyntaxUid: string,
  shape: SegFrameShape,
  decode: DecodeFrame | undefined,
): (index: number) => FrameBytes {
  if ("value" in pixelData) return nativeReader(pixelData.value, shape);
  const decompress = decompressor(transferSyntaxUid, shape, decode);
  const frames = splitFrames(pixelData.fragments, pixelData.offsetTable, shape.frames);
  let last: { readonly index: number; readonly bytes: Uint8Array } | undefined;
  return (index) => {
    if (last?.index !== index) last = { index, bytes: decompressed(frames[index]!, shape, decompress, index) };
    return { bytes: last.bytes, startBit: 0 };
  };
}

function nativeReader(bytes: Uint8Array, { frames, rows, columns, bitsAllocated }: SegFrameShape) {
  const bits = rows * columns * bitsAllocated;
  const needed = Math.ceil((frames * bits) / 8);
  if (bytes.length < needed) {
    throw new UnsupportedImageError(
      "truncated",
      `The segmentation's pixel data has ${bytes.length} of ${needed} bytes. Export or send it again.`,
    );
  }
  if (bitsAllocated === 1) return (index: number) => ({ bytes, startBit: index * bits });
  const size = bits / 8;
  return (index: number) => ({ bytes: bytes.subarray(index * size, (index + 1) * size), startBit: 0 });
}

const ITEM_HEADER = 8;

type Decompress = (frame: Uint8Array) => Uint8Array;

function decompressor(transferSyntaxUid: string, shape: SegFrameShape, decode: DecodeFrame | undefined): Decompress {
  if (transferSyntaxUid === TRANSFER_SYNTAX.deflatedImageFrame) {
    const size = Math.ceil((shape.rows * shape.columns * shape.bitsAllocated) / 8);
    // One byte more than the pixels need: a frame of odd length is padded.
    return (frame) => inflateRawSync(frame, { maxOutputLength: size + 1 });
  }
  const isRle = transferSyntaxUid === TRANSFER_SYNTAX.rleLossless;
  const codec = isRle ? openRle() : decode;
  if (codec !== undefined) {
    const bytes = { ...shape, bitsAllocated: Math.max(8, shape.bitsAllocated) };
    if (shape.bitsAllocated > 1) return (frame) => codec(frame, bytes).slice();
    return isRle ? rleOfBits(codec, bytes) : (frame) => packed(codec(frame, bytes));
  }
  throw new UnsupportedImageError(
    "unsupported-datatype",
    `The segmentation's pixels are compressed (${nameOfTransferSyntax(transferSyntaxUid)}), which is not supported. ` +
      "Convert it to Explicit VR Little Endian first (dcmtk: dcmdjpeg; GDCM: gdcmconv --raw).",
  );
}

/** Some writers pack the pixels of a frame of bits before RLE, others give each a byte: the length tells. */
function rleOfBits(codec: DecodeFrame, bytes: SegFrameShape): Decompress {
  const bits = { rows: 1, columns: Math.ceil((bytes.rows * bytes.columns) / 8), bitsAllocated: 8 };
  return (frame) => {
    try {
      return packed(codec(frame, bytes));
    } catch (error) {
      if (error instanceof CorruptFrameError) return codec(frame, bits).slice();
      throw error;
    }
  };
}

function packed(pixels: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(pixels.length / 8));
  packBits(pixels, bits);
  return bits;
}

function decompressed(frame: Uint8Array, shape: SegFrameShape, decompress: Decompress, index: number): Uint8Array {
  const needed = Math.ceil((shape.rows * shape.columns * shape.bitsAllocated) / 8);
  let bytes: Uint8Array;
  try {
    bytes = decompress(frame);
  } catch (cause) {
    throw damaged(index, { cause });
  }
  if (bytes.length < needed) throw damaged(index);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, needed);
}

/** A frame may be spread over several fragments: the offset table then says where each begins (PS3.5 section A.4). */
function splitFrames(fragments: readonly Uint8Array[], offsets: readonly number[], frames: number): Uint8Array[] {
  if (fragments.length === frames) return [...fragments];
  if (frames === 1) return [Buffer.concat(fragments)];
  const starts = new Map<number, number>();
  let at = 0;
  for (const [n, { length }] of fragments.entries()) {
    starts.set(at, n);
    at += ITEM_HEADER + length;
  }
  const firsts = offsets.map((offset) => starts.get(offset));
  if (offsets.length !== frames || firsts.includes(undefined)) {
    throw new UnsupportedImageError(
      "invalid-header",
      `The segmentation's ${frames} frames lie in ${fragments.length} fragments, and its offset table does not tell ` +
        "which belong together. Export it again.",
    );
  }
  return firsts.map((first, n) => Buffer.concat(fragments.slice(first, firsts[n + 1] ?? fragments.length)));
}

function damaged(index: number, options: ErrorOptions = {}): UnsupportedImageError {
  return new UnsupportedImageError(
    "truncated",
    `Frame ${index + 1} of the segmentation is damaged or cut short. Export or send it again.`,
    options,
  );
}
