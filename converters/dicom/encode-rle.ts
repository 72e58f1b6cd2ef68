const HEADER = 64;
const LONGEST = 128;

/**
 * A frame of unsigned pixels, little endian, as RLE Lossless (PS3.5 annex G): one segment for each byte of a pixel, the
 * highest first, every row packed by itself.
 */
export function encodeRle(frame: Uint8Array, columns: number, bytesPerPixel: 1 | 2): Uint8Array {
  const rows = frame.length / columns / bytesPerPixel;
  const out = new Uint8Array(HEADER + bytesPerPixel * (rows * (columns + Math.ceil(columns / LONGEST)) + 1));
  const header = new DataView(out.buffer);
  header.setUint32(0, bytesPerPixel, true);
  let offset = HEADER;
  for (let plane = 0; plane < bytesPerPixel; plane++) {
    header.setUint32(4 + plane * 4, offset, true);
    const bytes = bytesPerPixel === 1 ? frame : everyOther(frame, 1 - plane);
    offset = packRows(bytes, columns, out, offset);
    offset += offset & 1;
  }
  return out.slice(0, offset);
}

function everyOther(frame: Uint8Array, first: number): Uint8Array {
  const bytes = new Uint8Array(frame.length / 2);
  for (let n = 0; n < bytes.length; n++) bytes[n] = frame[2 * n + first]!;
  return bytes;
}

/** @returns the offset behind the last byte written. */
function packRows(bytes: Uint8Array, columns: number, out: Uint8Array, start: number): number {
  const blank = new Uint8Array(columns);
  const packedBlank = new Uint8Array(2 * Math.ceil(columns / LONGEST) + 2);
  const blankLength = packRow(blank, 0, columns, packedBlank, 0);
  let offset = start;
  for (let row = 0; row < bytes.length; row += columns) {
    // Most rows of most masks are empty, and comparing is many times faster than looking for runs.
    if (Buffer.compare(blank, bytes.subarray(row, row + columns)) === 0) {
      for (let n = 0; n < blankLength; n++) out[offset++] = packedBlank[n]!;
    } else offset = packRow(bytes, row, row + columns, out, offset);
  }
  return offset;
}

/** PackBits (PS3.5 section G.3.1): runs of two that stand between other bytes are cheaper as they are. */
function packRow(bytes: Uint8Array, start: number, end: number, out: Uint8Array, to: number): number {
  let offset = to;
  let literal = start;
  let n = start;
  while (n < end) {
    const value = bytes[n]!;
    let after = n + 1;
    while (after < end && bytes[after] === value) after++;
    const run = after - n;
    if (run < 3 && !(run === 2 && literal === n)) {
      n = after;
      continue;
    }
    offset = copyLiteral(bytes, literal, n, out, offset);
    for (let left = run; left > 0; left -= LONGEST) {
      const part = Math.min(left, LONGEST);
      out[offset++] = part === 1 ? 0 : 257 - part;
      out[offset++] = value;
    }
    n = after;
    literal = n;
  }
  return copyLiteral(bytes, literal, end, out, offset);
}

function copyLiteral(bytes: Uint8Array, start: number, end: number, out: Uint8Array, to: number): number {
  let offset = to;
  for (let n = start; n < end; n += LONGEST) {
    const stop = Math.min(end, n + LONGEST);
    out[offset++] = stop - n - 1;
    for (let m = n; m < stop; m++) out[offset++] = bytes[m]!;
  }
  return offset;
}
