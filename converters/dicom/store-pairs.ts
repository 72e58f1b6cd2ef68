/** How 16-bit words become values: the lowest `bitsStored` bits, with or without a sign, plus a whole number. */
export interface PairLayout {
  readonly bitsStored: number;
  readonly signed: boolean;
  readonly intercept: number;
}

/** The upper bits of both halves of a word. */
const SIGNS = 0x80008000 | 0;
const REST = 0x7fff7fff;

/**
 * Writes 16-bit values two at a time, as the halves of 32-bit words: 0.7 instead of 1.4 ns a value.
 *
 * @returns whether all values fit 16 bits with a sign; undefined, with nothing written, where the values are not whole
 * words in memory or the intercept is beyond what a half can add.
 */
export function storePairs(
  raw: Uint16Array,
  out: Int16Array,
  { bitsStored, signed, intercept }: PairLayout,
): boolean | undefined {
  // Values become signed numbers of 16 bits by turning their top bit over, which moves them down by `moved`.
  const top = 2 ** (bitsStored - 1);
  const [flip, moved] = bitsStored === 16 ? (signed ? [0, 0] : [top, top]) : signed ? [top, -top] : [0, 0];
  const added = intercept + moved;
  if (added < -0x8000 || added > 0x7fff) return undefined;
  if (raw.length % 2 !== 0 || raw.byteOffset % 4 !== 0 || out.byteOffset % 4 !== 0) return undefined;
  const from = new Int32Array(raw.buffer, raw.byteOffset, raw.length >> 1);
  const to = new Int32Array(out.buffer, out.byteOffset, raw.length >> 1);
  const mask = twice(2 ** bitsStored - 1);
  const flips = twice(flip);
  const b = twice(added);
  const bRest = b & REST;
  let overflows = 0;
  for (let n = 0; n < from.length; n++) {
    const a = (from[n]! & mask) ^ flips;
    // Adds within each half: the carry of the lower one stops before its sign, which is added without one.
    const sum = ((a & REST) + bRest) ^ ((a ^ b) & SIGNS);
    to[n] = sum;
    overflows |= (a ^ sum) & (b ^ sum);
  }
  return (overflows & SIGNS) === 0;
}

function twice(half: number): number {
  return ((half & 0xffff) << 16) | (half & 0xffff);
}
