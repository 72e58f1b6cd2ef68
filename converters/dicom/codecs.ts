import type { DecodeFrame } from "./frame-codec.ts";
import { TRANSFER_SYNTAX } from "./transfer-syntax.ts";

type OpenCodec = () => Promise<DecodeFrame>;

interface Codec {
  /** Loads the code that it takes, on first use. */
  readonly open: OpenCodec;
  /** About what a pixel takes on one core. */
  readonly nsPerPixel: number;
}

const NATIVE: Codec = { open: async () => (frame) => frame, nsPerPixel: 0 };
const RLE: Codec = { open: async () => (await import("./codec-rle.ts")).openRle(), nsPerPixel: 0.3 };
const JPEG: Codec = { open: async () => (await import("./codec-jpeg.ts")).openJpeg(), nsPerPixel: 7 };
const JPEG_LS: Codec = { open: async () => (await import("./codec-jpeg-ls.ts")).openJpegLs(), nsPerPixel: 25 };
const JPEG_2000: Codec = { open: async () => (await import("./codec-jpeg2000.ts")).openJpeg2000(), nsPerPixel: 110 };
const HTJ2K: Codec = { open: async () => (await import("./codec-htj2k.ts")).openHtj2k(), nsPerPixel: 20 };

const CODECS: ReadonlyMap<string, Codec> = new Map([
  [TRANSFER_SYNTAX.implicitLittleEndian, NATIVE],
  [TRANSFER_SYNTAX.explicitLittleEndian, NATIVE],
  [TRANSFER_SYNTAX.deflatedLittleEndian, NATIVE],
  [TRANSFER_SYNTAX.explicitBigEndian, NATIVE],
  [TRANSFER_SYNTAX.rleLossless, RLE],
  [TRANSFER_SYNTAX.jpegBaseline, JPEG],
  [TRANSFER_SYNTAX.jpegExtended, JPEG],
  [TRANSFER_SYNTAX.jpegLossless, JPEG],
  [TRANSFER_SYNTAX.jpegLosslessFirstOrder, JPEG],
  [TRANSFER_SYNTAX.jpegLsLossless, JPEG_LS],
  [TRANSFER_SYNTAX.jpegLsNearLossless, JPEG_LS],
  [TRANSFER_SYNTAX.jpeg2000Lossless, JPEG_2000],
  [TRANSFER_SYNTAX.jpeg2000, JPEG_2000],
  [TRANSFER_SYNTAX.htj2kLossless, HTJ2K],
  [TRANSFER_SYNTAX.htj2kLosslessRpcl, HTJ2K],
  [TRANSFER_SYNTAX.htj2k, HTJ2K],
]);

/** How to open the codec of a transfer syntax; undefined where there is none. */
export function codecOf(transferSyntaxUid: string): OpenCodec | undefined {
  return CODECS.get(transferSyntaxUid)?.open;
}

/** About how long a pixel takes to decode on one core, in nanoseconds: decides whether threads are worth their start. */
export function decodingCost(transferSyntaxUid: string): number {
  return CODECS.get(transferSyntaxUid)?.nsPerPixel ?? 0;
}
