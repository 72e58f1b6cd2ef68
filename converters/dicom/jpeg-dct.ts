import { entropySegment, type HuffmanTable, huffmanTable, LOOKUP_BITS, longCode } from "./jpeg-entropy.ts";
import { inverseDct } from "./jpeg-inverse-dct.ts";
import { damaged, type JpegImage } from "./jpeg-segments.ts";

/**
 * Decodes a baseline or extended sequential JPEG image of one component, 8 or 12 bits (ITU-T T.81 annex F), with the
 * inverse cosine transform of the Independent JPEG Group's library, in integers: the same samples come out.
 *
 * @param room gives memory for the entropy-coded bytes.
 * @throws CorruptFrameError
 */
export function decodeDctJpeg(
  frame: Uint8Array,
  image: JpegImage,
  samples: Uint8Array | Uint16Array,
  room: (bytes: number) => Uint8Array,
): void {
  const { width, height, bitsPerSample, restartInterval } = image;
  const steps = image.quantizations[image.quantizationOfComponent];
  if (steps === undefined || (bitsPerSample !== 8 && bitsPerSample !== 12)) throw damaged();
  const dc = huffmanTable(image.dcTables[image.dcTableOfScan]);
  const ac = huffmanTable(image.acTables[image.acTableOfScan]);
  const blocksAcross = Math.ceil(width / 8);
  const blocks = blocksAcross * Math.ceil(height / 8);
  const blocksPerSegment = restartInterval === 0 ? blocks : restartInterval;
  const coefficients = new Int32Array(64);
  let next = image.start;
  for (let first = 0; first < blocks; first += blocksPerSegment) {
    if (next < 0) throw damaged();
    const { view, bits, next: following } = entropySegment(frame, next, room);
    next = following;
    const reading: BlockReading = { view, end: bits, at: 0, dc, ac, steps, lastDc: 0 };
    for (let block = first; block < Math.min(blocks, first + blocksPerSegment); block++) {
      readBlock(reading, coefficients);
      inverseDct(coefficients, bitsPerSample);
      const left = (block % blocksAcross) * 8;
      const top = Math.floor(block / blocksAcross) * 8;
      const right = Math.min(8, width - left);
      const bottom = Math.min(8, height - top);
      for (let y = 0; y < bottom; y++) {
        for (let x = 0; x < right; x++) samples[(top + y) * width + left + x] = coefficients[y * 8 + x]!;
      }
    }
  }
}

interface BlockReading {
  readonly view: DataView;
  /** Bits. */
  readonly end: number;
  at: number;
  readonly dc: HuffmanTable;
  readonly ac: HuffmanTable;
  readonly steps: Uint16Array;
  lastDc: number;
}

/** One block's coefficients, multiplied by their steps, row by row. */
function readBlock(reading: BlockReading, coefficients: Int32Array): void {
  const { steps } = reading;
  coefficients.fill(0);
  const category = symbol(reading, reading.dc);
  if (category > 15) throw damaged();
  reading.lastDc += category === 0 ? 0 : value(reading, category);
  coefficients[0] = reading.lastDc * steps[0]!;
  for (let k = 1; k < 64; k++) {
    const runAndSize = symbol(reading, reading.ac);
    const size = runAndSize & 15;
    if (size === 0) {
      if (runAndSize !== ZEROS_16) break;
      k += 15;
      continue;
    }
    k += runAndSize >> 4;
    if (k > 63) throw damaged();
    coefficients[ZIGZAG[k]!] = value(reading, size) * steps[k]!;
  }
  if (reading.at > reading.end) throw damaged();
}

const ZEROS_16 = 0xf0;

function symbol(reading: BlockReading, table: HuffmanTable): number {
  const word = next32(reading);
  const found = table.codes[word >>> (32 - LOOKUP_BITS)]! || longCode(table, word >>> 16);
  reading.at += found & 0xff;
  return found >> 8;
}

/** The signed number that the next `size` bits are (ITU-T T.81 section F.2.2.1). */
function value(reading: BlockReading, size: number): number {
  const bits = next32(reading) >>> (32 - size);
  reading.at += size;
  return bits >> (size - 1) === 0 ? bits - (1 << size) + 1 : bits;
}

function next32({ view, at }: BlockReading): number {
  return view.getUint32(Math.min(at >>> 3, view.byteLength - 4)) << (at & 7);
}

/** Where the coefficients of a block, from low to high frequencies, lie in its rows. */
const ZIGZAG = Uint8Array.of(
  ...[0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48],
  ...[41, 34, 27, 20, 13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15],
  ...[23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63],
);
