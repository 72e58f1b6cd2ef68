import type { ImageFrame } from "./image-frame.ts";

/** Kept to four kinds, so that loops over them stay fast. */
export type StoredArray = Int16Array | Uint16Array | Int32Array | Float64Array;

/**
 * Writes the pixels of one slice out of the samples of its frame: bits outside Bits Stored (old overlays, dirt) are masked
 * away, signed values are sign-extended (PS3.5 section 8.1.1), a tile is cut out of its mosaic.
 *
 * @param samples of the whole frame, little endian; any that are too many are padding
 * @param slope of what is written, slope * stored + intercept; both whole numbers
 */
export function storePixels(
  samples: Uint8Array,
  { pixel, plane, tile }: Pick<ImageFrame, "pixel" | "plane" | "tile">,
  out: StoredArray,
  offset: number,
  slope = 1,
  intercept = 0,
): void {
  const { BitsAllocated, BitsStored, HighBit, PixelRepresentation, Rows, Columns } = pixel;
  const raw = words(samples, Rows * Columns, BitsAllocated);
  const bits = { left: 31 - HighBit, right: 32 - BitsStored, signed: PixelRepresentation === 1, slope, intercept };
  if (tile === undefined) {
    storeRun(raw, 0, out, offset, Rows * Columns, bits);
    return;
  }
  const [left, top] = tile;
  for (let y = 0; y < plane.rows; y++) {
    storeRun(raw, (top + y) * Columns + left, out, offset + y * plane.columns, plane.columns, bits);
  }
}

/** The smallest and the largest stored value that the header allows. */
export function storedRange({ pixel }: Pick<ImageFrame, "pixel">): readonly [lowest: number, highest: number] {
  const values = 2 ** pixel.BitsStored;
  return pixel.PixelRepresentation === 1 ? [-values / 2, values / 2 - 1] : [0, values - 1];
}

/** How a word becomes a value: shifting its top bit to bit 31 and back drops what lies above and extends the sign. */
interface BitLayout {
  readonly left: number;
  readonly right: number;
  readonly signed: boolean;
  readonly slope: number;
  readonly intercept: number;
}

type Words = Uint8Array | Uint16Array | Uint32Array;

function storeRun(raw: Words, from: number, out: StoredArray, to: number, count: number, bits: BitLayout): void {
  const { left, right, signed, slope, intercept } = bits;
  const shift = to - from;
  const end = from + count;
  if (slope !== 1) {
    for (let n = from; n < end; n++) {
      const word = raw[n]! << left;
      out[n + shift] = slope * (signed ? word >> right : word >>> right) + intercept;
    }
  } else if (signed && left === right && intercept === 0 && raw instanceof Uint16Array && left === 16) {
    out.set(new Int16Array(raw.buffer, raw.byteOffset + from * 2, count), to);
  } else if (signed) {
    for (let n = from; n < end; n++) out[n + shift] = ((raw[n]! << left) >> right) + intercept;
  } else {
    for (let n = from; n < end; n++) out[n + shift] = ((raw[n]! << left) >>> right) + intercept;
  }
}

/** The samples as words of the machine, which is little endian like the samples. */
function words(samples: Uint8Array, count: number, bitsAllocated: number): Words {
  const size = bitsAllocated >> 3;
  const aligned = samples.byteOffset % size === 0 ? samples : samples.slice(0, count * size);
  if (size === 1) return aligned.subarray(0, count);
  return size === 2
    ? new Uint16Array(aligned.buffer, aligned.byteOffset, count)
    : new Uint32Array(aligned.buffer, aligned.byteOffset, count);
}
