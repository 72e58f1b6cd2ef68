import { damaged, type HuffmanSpecification } from "./jpeg-segments.ts";

/** Bits that one look-up takes: longer codes and values take a second step. */
export const LOOKUP_BITS = 12;

/**
 * A Huffman table made for speed. `codes` has, for every value of the next 16 bits' upper LOOKUP_BITS, symbol << 8 | length
 * of the code, or 0 where the code is longer; then `longest` leads on, code length by code length.
 */
export interface HuffmanTable {
  readonly codes: Int32Array;
  /** One more than the largest code of n bits, aligned to 16 bits; for n of 1 to 16, ascending. */
  readonly limits: Int32Array;
  /** symbols[code + offsets[n]] is the symbol of a code of n bits. */
  readonly offsets: Int32Array;
  readonly symbols: Uint8Array;
}

/** @throws CorruptFrameError where the code lengths are not those of a Huffman code. */
export function huffmanTable(specification: HuffmanSpecification | undefined): HuffmanTable {
  if (specification === undefined) throw damaged();
  const { counts, symbols } = specification;
  const codes = new Int32Array(1 << LOOKUP_BITS);
  const limits = new Int32Array(17);
  const offsets = new Int32Array(17);
  let code = 0;
  let n = 0;
  for (let bits = 1; bits <= 16; bits++) {
    offsets[bits] = n - code;
    for (let c = 0; c < counts[bits - 1]!; c++, code++, n++) {
      if (code >= 1 << bits) throw damaged();
      if (bits > LOOKUP_BITS) continue;
      const first = code << (LOOKUP_BITS - bits);
      codes.fill((symbols[n]! << 8) | bits, first, first + (1 << (LOOKUP_BITS - bits)));
    }
    limits[bits] = code << (16 - bits);
    code <<= 1;
  }
  return { codes, limits, offsets, symbols };
}

/** The symbol << 8 | length of the code that the 16 bits `next` begin with, by search: for codes beyond LOOKUP_BITS. */
export function longCode({ limits, offsets, symbols }: HuffmanTable, next: number): number {
  for (let bits = LOOKUP_BITS + 1; bits <= 16; bits++) {
    if (next < limits[bits]!) return (symbols[(next >> (16 - bits)) + offsets[bits]!]! << 8) | bits;
  }
  throw damaged();
}

/** The entropy-coded bytes between two markers, without the zeros that are stuffed behind each FF. */
export interface EntropySegment {
  /** Four bytes can be read from any bit on, also behind the last one: zeros follow. */
  readonly view: DataView;
  readonly bits: number;
  /** Where the next segment begins, behind a restart marker; -1 where there is none. */
  readonly next: number;
}

const OVERRUN_BYTES = 8;

/** @param room gives memory that may be used until the next segment is read. */
export function entropySegment(frame: Uint8Array, start: number, room: (bytes: number) => Uint8Array): EntropySegment {
  const plain = room(frame.length - start + OVERRUN_BYTES);
  let length = 0;
  let at = start;
  let next = -1;
  for (;;) {
    const found = frame.indexOf(0xff, at);
    const stop = found < 0 ? frame.length : found;
    plain.set(frame.subarray(at, stop), length);
    length += stop - at;
    if (found < 0) break;
    const follows = frame[found + 1];
    if (follows === 0) {
      plain[length++] = 0xff;
      at = found + 2;
    } else if (follows === 0xff) {
      at = found + 1;
    } else {
      if (follows !== undefined && follows >= 0xd0 && follows <= 0xd7) next = found + 2;
      break;
    }
  }
  plain.fill(0, length, length + OVERRUN_BYTES);
  return { view: new DataView(plain.buffer, plain.byteOffset, plain.byteLength), bits: length * 8, next };
}
