import { CorruptFrameError } from "./frame-codec.ts";

/** What a JPEG 2000 code stream says of its image before any of it is decoded (ISO/IEC 15444-1 section A.5.1). */
export interface Jpeg2000Size {
  readonly width: number;
  readonly height: number;
  readonly components: number;
  readonly bitsPerSample: number;
  readonly signed: boolean;
  readonly tiles: number;
  /** Where the code stream begins within the frame. */
  readonly start: number;
}

const START_AND_SIZE = [0xff, 0x4f, 0xff, 0x51] as const;
/** The JP2 signature box, which some writers leave around the code stream. */
const JP2_SIGNATURE = [0x00, 0x00, 0x00, 0x0c, 0x6a, 0x50, 0x20, 0x20] as const;
const JP2_HEADER_BYTES = 4096;

/** @throws CorruptFrameError where `frame` is not a JPEG 2000 code stream. */
export function jpeg2000Size(frame: Uint8Array): Jpeg2000Size {
  const start = startsWith(frame, 0, JP2_SIGNATURE) ? codeStreamInJp2(frame) : 0;
  if (start < 0 || !startsWith(frame, start, START_AND_SIZE) || frame.length < start + 45) {
    throw new CorruptFrameError("its frame is not a JPEG 2000 code stream");
  }
  // After SOC and SIZ: Lsiz, Rsiz (2 bytes each), then the 32-bit sizes, Csiz, and the first component's Ssiz.
  const view = new DataView(frame.buffer, frame.byteOffset + start + 8);
  const word = (n: number) => view.getUint32(n * 4);
  const [right, bottom, left, top] = [word(0), word(1), word(2), word(3)];
  const [tileWidth, tileHeight, tileLeft, tileTop] = [word(4), word(5), word(6), word(7)];
  const depth = view.getUint8(34);
  // XRsiz and YRsiz of the first component: a grey image has a sample at every point, and decoders trip over others.
  if (view.getUint8(35) !== 1 || view.getUint8(36) !== 1) {
    throw new CorruptFrameError("its JPEG 2000 code stream has fewer samples than pixels");
  }
  return {
    width: right - left,
    height: bottom - top,
    components: view.getUint16(32),
    bitsPerSample: (depth & 0x7f) + 1,
    signed: depth > 0x7f,
    tiles: Math.ceil((right - tileLeft) / tileWidth) * Math.ceil((bottom - tileTop) / tileHeight),
    start,
  };
}

function codeStreamInJp2(frame: Uint8Array): number {
  const last = Math.min(frame.length, JP2_HEADER_BYTES) - START_AND_SIZE.length;
  for (let at = JP2_SIGNATURE.length; at <= last; at++) if (startsWith(frame, at, START_AND_SIZE)) return at;
  return -1;
}

function startsWith(bytes: Uint8Array, at: number, start: readonly number[]): boolean {
  return start.every((byte, n) => bytes[at + n] === byte);
}
