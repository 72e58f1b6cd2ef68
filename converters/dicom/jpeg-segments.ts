import { CorruptFrameError, type EncodedSize } from "./frame-codec.ts";

/** A Huffman table as a DHT segment gives it (ITU-T T.81 section B.2.4.2). */
export interface HuffmanSpecification {
  /** How many codes there are of 1, 2, ... 16 bits. */
  readonly counts: Uint8Array;
  /** What the codes stand for, in the order of the codes. */
  readonly symbols: Uint8Array;
}

/** How the samples of a frame are coded: SOF0 and SOF1, or SOF3; SOF55 is JPEG-LS (ISO/IEC 14495-1). */
export type JpegProcess = "dct" | "lossless" | "jpeg-ls";

/** One image of one component with one scan, as far as it can be told without decoding (ITU-T T.81 annex B). */
export interface JpegImage extends EncodedSize {
  readonly process: JpegProcess;
  /** By table number. */
  readonly dcTables: readonly (HuffmanSpecification | undefined)[];
  readonly acTables: readonly (HuffmanSpecification | undefined)[];
  /** 64 steps in zigzag order, by table number. */
  readonly quantizations: readonly (Uint16Array | undefined)[];
  readonly quantizationOfComponent: number;
  readonly dcTableOfScan: number;
  readonly acTableOfScan: number;
  /** Ss: the predictor of a lossless scan. */
  readonly predictor: number;
  /** Al: the point transform of a lossless scan. */
  readonly pointTransform: number;
  /** Samples or blocks between two restart markers; 0 where there are none. */
  readonly restartInterval: number;
  /** Where the entropy-coded bytes begin. */
  readonly start: number;
}

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const DHT = 0xc4;
const DQT = 0xdb;
const DRI = 0xdd;

const PROCESS: Readonly<Record<number, JpegProcess>> = { 192: "dct", 193: "dct", 195: "lossless", 247: "jpeg-ls" };

/**
 * Reads the segments of a JPEG or JPEG-LS frame up to its scan.
 *
 * @throws CorruptFrameError where they are damaged, or of a process that no DICOM transfer syntax of stills has.
 */
export function readJpegSegments(frame: Uint8Array): JpegImage {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame[0] !== 0xff || frame[1] !== SOI) throw new CorruptFrameError("its frame is not a JPEG image");
  const dcTables: HuffmanSpecification[] = [];
  const acTables: HuffmanSpecification[] = [];
  const quantizations: Uint16Array[] = [];
  let size: (EncodedSize & { process: JpegProcess; quantizationOfComponent: number }) | undefined;
  let restartInterval = 0;
  let at = 2;
  while (at + 4 <= frame.length) {
    if (frame[at] !== 0xff) throw damaged();
    const marker = frame[at + 1]!;
    // Any number of fill bytes may stand before a marker.
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === SOI || marker === EOI || marker === 0 || (marker >= 0xd0 && marker <= 0xd7)) throw damaged();
    const length = view.getUint16(at + 2);
    const end = at + 2 + length;
    if (length < 2 || end > frame.length) throw damaged();
    const body = frame.subarray(at + 4, end);
    const process = PROCESS[marker];
    if (process !== undefined) size = { process, ...frameHeader(body) };
    else if (marker >= 0xc0 && marker <= 0xcf && marker !== DHT && marker !== 0xc8 && marker !== 0xcc) {
      throw new CorruptFrameError(`its JPEG image is of process SOF${marker - 0xc0}, which no DICOM image should be`);
    } else if (marker === DHT) readHuffman(body, dcTables, acTables);
    else if (marker === DQT) readQuantization(body, quantizations);
    else if (marker === DRI) restartInterval = body.length >= 2 ? (body[0]! << 8) | body[1]! : 0;
    else if (marker === SOS) {
      if (size === undefined || body.length < 6 || body[0] !== 1) throw damaged();
      return {
        ...size,
        dcTables,
        acTables,
        quantizations,
        restartInterval,
        dcTableOfScan: body[2]! >> 4,
        acTableOfScan: body[2]! & 15,
        predictor: body[3]!,
        pointTransform: body[5]! & 15,
        start: end,
      };
    }
    at = end;
  }
  throw damaged();
}

export function damaged(): CorruptFrameError {
  return new CorruptFrameError("its JPEG image is damaged or cut short");
}

function frameHeader(body: Uint8Array) {
  if (body.length < 9) throw damaged();
  return {
    bitsPerSample: body[0]!,
    height: (body[1]! << 8) | body[2]!,
    width: (body[3]! << 8) | body[4]!,
    components: body[5]!,
    quantizationOfComponent: body[8]!,
  };
}

function readHuffman(body: Uint8Array, dcTables: HuffmanSpecification[], acTables: HuffmanSpecification[]): void {
  for (let at = 0; at < body.length; ) {
    const counts = body.subarray(at + 1, at + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const symbols = body.subarray(at + 17, at + 17 + total);
    if (counts.length < 16 || symbols.length < total || total > 256) throw damaged();
    const number = body[at]! & 15;
    if (number > 3) throw damaged();
    (body[at]! >> 4 === 0 ? dcTables : acTables)[number] = { counts, symbols };
    at += 17 + total;
  }
}

function readQuantization(body: Uint8Array, quantizations: Uint16Array[]): void {
  for (let at = 0; at < body.length; ) {
    const wide = body[at]! >> 4 === 1;
    const number = body[at]! & 15;
    const bytes = wide ? 128 : 64;
    if (number > 3 || at + 1 + bytes > body.length) throw damaged();
    const first = at + 1;
    quantizations[number] = Uint16Array.from({ length: 64 }, (_, n) =>
      wide ? (body[first + n * 2]! << 8) | body[first + n * 2 + 1]! : body[first + n]!,
    );
    at = first + bytes;
  }
}
