import { entropySegment, type HuffmanTable, huffmanTable, LOOKUP_BITS, longCode } from "./jpeg-entropy.ts";
import { damaged, type JpegImage } from "./jpeg-segments.ts";

/**
 * Decodes a lossless JPEG image of one component (ITU-T T.81 annex H), any of its seven predictors.
 *
 * @param room gives memory for the entropy-coded bytes.
 * @throws CorruptFrameError
 */
export function decodeLosslessJpeg(
  frame: Uint8Array,
  image: JpegImage,
  samples: Uint16Array,
  room: (bytes: number) => Uint8Array,
): void {
  const { width, height, predictor, pointTransform, bitsPerSample, restartInterval } = image;
  if (predictor < 1 || predictor > 7 || bitsPerSample < 2 || pointTransform >= bitsPerSample) throw damaged();
  // A restart interval is a whole number of lines (section H.1.1).
  if (restartInterval % width !== 0) throw damaged();
  const table = huffmanTable(image.dcTables[image.dcTableOfScan]);
  const differences = differenceTable(table);
  const linesPerSegment = restartInterval === 0 ? height : restartInterval / width;
  const middle = 1 << (bitsPerSample - pointTransform - 1);
  let next = image.start;
  for (let top = 0; top < height; top += linesPerSegment) {
    if (next < 0) throw damaged();
    const segment = entropySegment(frame, next, room);
    next = segment.next;
    const lines = samples.subarray(top * width, Math.min(height, top + linesPerSegment) * width);
    readDifferences(segment.view, segment.bits, table, differences, lines);
    predict(lines, width, predictor, middle);
  }
  if (pointTransform > 0) for (let n = 0; n < samples.length; n++) samples[n]! <<= pointTransform;
}

/**
 * For every value of the next LOOKUP_BITS bits that hold a whole code and the bits behind it: the difference << 8 | how
 * many bits that took; elsewhere 0, which no code gives.
 */
function differenceTable({ codes }: HuffmanTable): Int32Array {
  const differences = new Int32Array(codes.length);
  for (let n = 0; n < codes.length; n++) {
    const bits = codes[n]! & 0xff;
    const category = codes[n]! >> 8;
    if (bits === 0 || category > 16) continue;
    const extra = category === 16 ? 0 : category;
    if (bits + extra > LOOKUP_BITS) continue;
    const value = (n >> (LOOKUP_BITS - bits - extra)) & ((1 << extra) - 1);
    differences[n] = (differenceOf(category, value) << 8) | (bits + extra);
  }
  return differences;
}

/** ITU-T T.81 section H.1.2.2: category 16 is the one difference that its bits cannot tell. */
function differenceOf(category: number, value: number): number {
  if (category === 0) return 0;
  if (category === 16) return 32768;
  return value >> (category - 1) === 0 ? value - (1 << category) + 1 : value;
}

function readDifferences(
  view: DataView,
  end: number,
  table: HuffmanTable,
  differences: Int32Array,
  samples: Uint16Array,
): void {
  const shift = 32 - LOOKUP_BITS;
  const { codes } = table;
  let at = 0;
  for (let n = 0; n < samples.length; n++) {
    const word = view.getUint32(at >>> 3) << (at & 7);
    const entry = differences[word >>> shift]!;
    if (entry !== 0) {
      samples[n] = entry >> 8;
      at += entry & 0xff;
    } else {
      const found = codes[word >>> shift]! || longCode(table, word >>> 16);
      const category = found >> 8;
      if (category > 16) throw damaged();
      at += found & 0xff;
      if (category > 0 && category < 16) {
        const bits = (view.getUint32(Math.min(at >>> 3, view.byteLength - 4)) << (at & 7)) >>> (32 - category);
        samples[n] = differenceOf(category, bits);
        at += category;
      } else {
        samples[n] = differenceOf(category, 0);
      }
    }
    if (at > end) throw damaged();
  }
}

/** Turns differences into samples, in place (ITU-T T.81 table H.1); arithmetic is modulo 2 to the 16th. */
function predict(lines: Uint16Array, width: number, predictor: number, middle: number): void {
  lines[0]! += middle;
  for (let n = 1; n < width; n++) lines[n]! += lines[n - 1]!;
  for (let first = width; first < lines.length; first += width) {
    lines[first]! += lines[first - width]!;
    predictLine(lines, first, width, predictor);
  }
}

function predictLine(lines: Uint16Array, first: number, width: number, predictor: number): void {
  const end = first + width;
  let left = lines[first]!;
  if (predictor === 1) {
    for (let n = first + 1; n < end; n++) {
      left = (left + lines[n]!) & 0xffff;
      lines[n] = left;
    }
    return;
  }
  let aboveLeft = lines[first - width]!;
  for (let n = first + 1; n < end; n++) {
    const above = lines[n - width]!;
    left = (lines[n]! + prediction(predictor, left, above, aboveLeft)) & 0xffff;
    lines[n] = left;
    aboveLeft = above;
  }
}

function prediction(predictor: number, left: number, above: number, aboveLeft: number): number {
  switch (predictor) {
    case 2:
      return above;
    case 3:
      return aboveLeft;
    case 4:
      return left + above - aboveLeft;
    case 5:
      return left + ((above - aboveLeft) >> 1);
    case 6:
      return above + ((left - aboveLeft) >> 1);
    default:
      return (left + above) >> 1;
  }
}
