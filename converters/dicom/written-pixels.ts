import type { Writer } from "./data-set-writer.ts";

/** Pixel Data (7FE0,0010) that is made when, and where, it is written. */
export type WrittenPixels =
  | {
      readonly kind: "native";
      readonly vr: "OB" | "OW";
      /** In bytes. */
      readonly length: number;
      /** @param into zeros, `length` of them, in the file itself */
      fill(into: Uint8Array): void;
    }
  /** One compressed frame, and one fragment, each (PS3.5 section A.4). */
  | { readonly kind: "encapsulated"; readonly frames: readonly Uint8Array[] };

const HEADER = 12;
const ITEM_HEADER = 8;
const LARGEST_LENGTH = 0xfffffffe;

/**
 * What the element takes in the file, header and delimiters included.
 * @throws RangeError where native pixels are longer than a value can be
 */
export function lengthOfPixels(pixels: WrittenPixels): number {
  if (pixels.kind === "native") {
    const length = even(pixels.length);
    if (length > LARGEST_LENGTH) {
      throw new RangeError("the pixels are too long for one element (4 GiB): write them compressed");
    }
    return HEADER + length;
  }
  const fragments = pixels.frames.reduce((sum, { length }) => sum + ITEM_HEADER + even(length), 0);
  return HEADER + ITEM_HEADER + offsetTable(pixels.frames).length * 4 + fragments + ITEM_HEADER;
}

/** Writes the element at `start`; returns the offset behind it. */
export function writePixels(pixels: WrittenPixels, { out, view }: Writer, start: number): number {
  const vr = pixels.kind === "native" ? pixels.vr : "OB";
  view.setUint16(start, 0x7fe0, true);
  view.setUint16(start + 2, 0x0010, true);
  out.write(vr, start + 4, "latin1");
  let offset = start + HEADER;
  if (pixels.kind === "native") {
    view.setUint32(start + 8, even(pixels.length), true);
    pixels.fill(out.subarray(offset, offset + pixels.length));
    return offset + even(pixels.length);
  }
  view.setUint32(start + 8, UNDEFINED_LENGTH, true);
  const table = offsetTable(pixels.frames);
  offset = writeItemHeader(view, offset, ITEM, table.length * 4);
  for (const at of table) {
    view.setUint32(offset, at, true);
    offset += 4;
  }
  for (const frame of pixels.frames) {
    offset = writeItemHeader(view, offset, ITEM, even(frame.length));
    out.set(frame, offset);
    offset += even(frame.length);
  }
  return writeItemHeader(view, offset, SEQUENCE_END, 0);
}

const UNDEFINED_LENGTH = 0xffffffff;
const ITEM = 0xe000;
const SEQUENCE_END = 0xe0dd;

/** The Basic Offset Table; empty, as it may be, where 32 bits do not reach the last frame. */
function offsetTable(frames: readonly Uint8Array[]): readonly number[] {
  const offsets: number[] = [];
  let offset = 0;
  for (const { length } of frames) {
    offsets.push(offset);
    offset += ITEM_HEADER + even(length);
  }
  return (offsets.at(-1) ?? 0) > 0xffffffff ? [] : offsets;
}

function writeItemHeader(view: DataView, offset: number, element: number, length: number): number {
  view.setUint16(offset, 0xfffe, true);
  view.setUint16(offset + 2, element, true);
  view.setUint32(offset + 4, length, true);
  return offset + ITEM_HEADER;
}

function even(length: number): number {
  return length + (length & 1);
}
