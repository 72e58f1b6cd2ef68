/**
 * Copies `count` bits, packed LSB first (PS3.5 section 8.1.1), from any bit offset to any other; the bits of `to`
 * from `toBit` on must be zero.
 */
export function copyBits(from: Uint8Array, fromBit: number, to: Uint8Array, toBit: number, count: number): void {
  if (((fromBit | toBit | count) & 7) === 0) {
    to.set(from.subarray(fromBit / 8, (fromBit + count) / 8), toBit / 8);
    return;
  }
  let done = 0;
  for (; done < count && ((toBit + done) & 7) !== 0; done++) copyBit(from, fromBit + done, to, toBit + done);
  const shift = (fromBit + done) & 7;
  let source = Math.floor((fromBit + done) / 8);
  let target = Math.floor((toBit + done) / 8);
  if (shift === 0) {
    const bytes = Math.floor((count - done) / 8);
    to.set(from.subarray(source, source + bytes), target);
    done += bytes * 8;
  } else {
    const carry = 8 - shift;
    for (; done + 8 <= count; done += 8, source++) {
      to[target++] = (from[source]! >>> shift) | (from[source + 1]! << carry);
    }
  }
  for (; done < count; done++) copyBit(from, fromBit + done, to, toBit + done);
}

/** Whether any of `count` bits from `start` on is set. */
export function anyBit(bits: Uint8Array, start: number, count: number): boolean {
  const end = start + count;
  let n = start;
  for (; n < end && (n & 7) !== 0; n++) if ((bits[Math.floor(n / 8)]! >>> (n & 7)) & 1) return true;
  const lastByte = Math.floor(end / 8);
  let byte = n / 8;
  for (; byte < lastByte && ((bits.byteOffset + byte) & 3) !== 0; byte++) if (bits[byte] !== 0) return true;
  if (byte < lastByte) {
    const words = new Uint32Array(bits.buffer, bits.byteOffset + byte, (lastByte - byte) >>> 2);
    for (let word = 0; word < words.length; word++) if (words[word] !== 0) return true;
    byte += words.length * 4;
  }
  for (; byte < lastByte; byte++) if (bits[byte] !== 0) return true;
  for (n = Math.max(n, lastByte * 8); n < end; n++) if ((bits[Math.floor(n / 8)]! >>> (n & 7)) & 1) return true;
  return false;
}

function copyBit(from: Uint8Array, fromBit: number, to: Uint8Array, toBit: number): void {
  const bit = (from[Math.floor(fromBit / 8)]! >>> (fromBit & 7)) & 1;
  if (bit === 1) to[Math.floor(toBit / 8)]! |= 1 << (toBit & 7);
}

/** So many bits from `startBit` on, the first one in bit 0 of the first byte: where they lie so already, a view of them. */
export function bitsFrom(bytes: Uint8Array, startBit: number, count: number): Uint8Array {
  if (startBit % 8 === 0 && count % 8 === 0) return bytes.subarray(startBit / 8, (startBit + count) / 8);
  const out = new Uint8Array(Math.ceil(count / 8));
  copyBits(bytes, startBit, out, 0, count);
  return out;
}
