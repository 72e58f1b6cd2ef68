/**
 * Writes one bit for each byte of `source` (set where it is not zero) into `into` from bit `bitOffset` on, LSB first
 * (PS3.5 section 8: a frame need not start on a byte boundary). Bits before and after are left alone.
 * @throws RangeError where `into` is too short
 */
export function packBits(source: Uint8Array, into: Uint8Array, bitOffset = 0): void {
  const end = bitOffset + source.length;
  if (bitOffset < 0 || end > into.length * 8) throw new RangeError(`bits ${bitOffset} to ${end} of ${into.length * 8}`);
  let n = bitOffset;
  let s = 0;
  for (; n < end && n % 8 !== 0; n++, s++) writeBit(into, n, source[s]!);
  for (let b = n / 8; n + 8 <= end; n += 8, s += 8, b++) {
    into[b] =
      (source[s]! && 1) |
      (source[s + 1]! && 2) |
      (source[s + 2]! && 4) |
      (source[s + 3]! && 8) |
      (source[s + 4]! && 16) |
      (source[s + 5]! && 32) |
      (source[s + 6]! && 64) |
      (source[s + 7]! && 128);
  }
  for (; n < end; n++, s++) writeBit(into, n, source[s]!);
}

/**
 * Reads `count` bits from bit `bitOffset` on, LSB first, as bytes 0 or 1; written into `out` where given.
 * @throws RangeError where there are fewer bits
 */
export function unpackBits(
  bits: Uint8Array,
  bitOffset: number,
  count: number,
  out = new Uint8Array(count),
): Uint8Array {
  const end = bitOffset + count;
  if (bitOffset < 0 || end > bits.length * 8) throw new RangeError(`bits ${bitOffset} to ${end} of ${bits.length * 8}`);
  out.fill(0, 0, count);
  let n = bitOffset;
  let p = 0;
  for (; n < end && n % 8 !== 0; n++, p++) out[p] = readBit(bits, n);
  for (let b = n / 8; n + 8 <= end; n += 8, p += 8, b++) {
    const byte = bits[b]!;
    if (byte === 0) continue;
    out[p] = byte & 1;
    out[p + 1] = (byte >> 1) & 1;
    out[p + 2] = (byte >> 2) & 1;
    out[p + 3] = (byte >> 3) & 1;
    out[p + 4] = (byte >> 4) & 1;
    out[p + 5] = (byte >> 5) & 1;
    out[p + 6] = (byte >> 6) & 1;
    out[p + 7] = byte >> 7;
  }
  for (; n < end; n++, p++) out[p] = readBit(bits, n);
  return out;
}

function readBit(bits: Uint8Array, n: number): number {
  return (bits[Math.floor(n / 8)]! >> (n % 8)) & 1;
}

function writeBit(bits: Uint8Array, n: number, value: number): void {
  const byte = Math.floor(n / 8);
  bits[byte] = value === 0 ? bits[byte]! & ~(1 << (n % 8)) : bits[byte]! | (1 << (n % 8));
}
