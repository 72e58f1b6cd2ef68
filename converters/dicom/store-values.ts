import { reusableBytes } from "./frame-codec.ts";
import type { ImageFrame } from "./image-frame.ts";
import { storeWords } from "./store-words.ts";

/** What of a slice says how its samples become values. */
export type SliceLayout = Pick<ImageFrame, "pixel" | "plane" | "tile" | "rescale">;

/**
 * Writes the real values of one slice, slope * stored + intercept (PS3.3 section C.11.1), out of the samples of its frame:
 * bits outside Bits Stored (old overlays, dirt) are masked away, signed values are sign-extended (PS3.5 section 8.1.1), a
 * tile is cut out of its mosaic.
 *
 * @param samples of the whole frame, little endian; any that are too many are padding
 * @param out from `offset` on; floats are computed in single precision throughout, as the common converters do it
 * @returns whether all values fit `out`; where they do not, what was written is of no use.
 */
export function storeValues(
  samples: Uint8Array,
  { pixel, plane, tile, rescale }: SliceLayout,
  out: Int16Array | Float32Array,
  offset: number,
): boolean {
  const { BitsAllocated, BitsStored, HighBit, PixelRepresentation, Rows, Columns } = pixel;
  const raw = words(samples, Rows * Columns, BitsAllocated);
  const layout: WordLayout = {
    left: 31 - HighBit,
    right: 32 - BitsStored,
    signed: PixelRepresentation === 1,
    slope: rescale.RescaleSlope ?? 1,
    intercept: rescale.RescaleIntercept ?? 0,
  };
  const storeRun = out instanceof Float32Array ? storeFloats : storeIntegers;
  if (tile === undefined) return storeRun(raw, 0, out as never, offset, Rows * Columns, layout);
  const [left, top] = tile;
  let fits = true;
  for (let y = 0; y < plane.rows; y++) {
    const from = (top + y) * Columns + left;
    fits = storeRun(raw, from, out as never, offset + y * plane.columns, plane.columns, layout) && fits;
  }
  return fits;
}

/** How a word becomes a value: shifting its top bit to bit 31 and back drops what lies above and extends the sign. */
interface WordLayout {
  readonly left: number;
  readonly right: number;
  readonly signed: boolean;
  readonly slope: number;
  readonly intercept: number;
}

type Words = Uint8Array | Uint16Array | Uint32Array;

function storeIntegers(
  raw: Words,
  from: number,
  out: Int16Array,
  to: number,
  count: number,
  layout: WordLayout,
): boolean {
  const { left, right, signed, slope, intercept } = layout;
  if (!Number.isInteger(slope) || !Number.isInteger(intercept)) return false;
  const shift = to - from;
  const end = from + count;
  let fits = true;
  if (slope !== 1) {
    for (let n = from; n < end; n++) {
      const word = raw[n]! << left;
      const value = slope * (signed ? word >> right : word >>> right) + intercept;
      out[n + shift] = value;
      if (value < -0x8000 || value > 0x7fff) fits = false;
    }
    return fits;
  }
  if (raw instanceof Uint16Array && left === right) {
    const stored = storeWords(raw.subarray(from, end), out.subarray(to, to + count), {
      bitsStored: 32 - right,
      signed,
      intercept,
    });
    if (stored !== undefined) return stored;
  }
  if (signed) {
    for (let n = from; n < end; n++) {
      const value = ((raw[n]! << left) >> right) + intercept;
      out[n + shift] = value;
      if (value < -0x8000 || value > 0x7fff) fits = false;
    }
  } else {
    for (let n = from; n < end; n++) {
      const value = ((raw[n]! << left) >>> right) + intercept;
      out[n + shift] = value;
      if (value < -0x8000 || value > 0x7fff) fits = false;
    }
  }
  return fits;
}

function storeFloats(raw: Words, from: number, out: Float32Array, to: number, count: number, layout: WordLayout): true {
  const { left, right, signed } = layout;
  const slope = Math.fround(layout.slope);
  const intercept = Math.fround(layout.intercept);
  const shift = to - from;
  for (let n = from; n < from + count; n++) {
    const word = raw[n]! << left;
    out[n + shift] = Math.fround(Math.fround(signed ? word >> right : word >>> right) * slope) + intercept;
  }
  return true;
}

/** The samples as words of the machine, which is little endian like the samples; they begin at a multiple of four bytes. */
function words(samples: Uint8Array, count: number, bitsAllocated: number): Words {
  const size = bitsAllocated >> 3;
  const aligned = samples.byteOffset % 4 === 0 ? samples : moved(samples.subarray(0, count * size));
  if (size === 1) return aligned.subarray(0, count);
  return size === 2
    ? new Uint16Array(aligned.buffer, aligned.byteOffset, count)
    : new Uint32Array(aligned.buffer, aligned.byteOffset, count);
}

const room = reusableBytes();

/** A copy that is good until the next one is made: memory that is not new takes half the time to write. */
function moved(samples: Uint8Array): Uint8Array {
  const copy = room(samples.length);
  copy.set(samples);
  return copy;
}
