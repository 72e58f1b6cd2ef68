import { CorruptFrameError } from "./frame-codec.ts";
import type { Jpeg2000Size } from "./jpeg2000-size.ts";

const SOT = 0xff90;
const SOD = 0xff93;
const EOC = 0xffd9;
/** Marker, Lsot, Isot, Psot, TPsot, TNsot (ISO/IEC 15444-1 section A.4.2). */
const SOT_BYTES = 12;

/**
 * Decoders make a picture of what there is of a code stream that was cut short, so it is followed here from tile-part to
 * tile-part: each lies within the frame as long as it says, and behind the last is EOC. Without EOC it is whole only where
 * every tile has said how many parts it has, and has them.
 *
 * @throws CorruptFrameError
 */
export function refuseCutCodeStream(frame: Uint8Array, { start, tiles }: Jpeg2000Size): void {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const marker = (offset: number) => (offset + 2 <= frame.length ? view.getUint16(offset) : -1);
  let at = start + 2;
  while (marker(at) !== SOT) {
    // Segments of the main header; none of them is longer than it says.
    if (at + 4 > frame.length || marker(at) < 0xff00 || marker(at) === SOD) throw cut();
    at += 2 + Math.max(2, view.getUint16(at + 2));
  }
  const parts = new Map<number, { seen: number; declared: number }>();
  while (marker(at) === SOT) {
    if (at + SOT_BYTES > frame.length) throw cut();
    const tile = view.getUint16(at + 4);
    const length = view.getUint32(at + 6);
    const declared = frame[at + 11]!;
    const part = parts.get(tile) ?? { seen: 0, declared: 0 };
    parts.set(tile, { seen: part.seen + 1, declared: declared || part.declared });
    // 0: up to EOC; only the last tile-part may say so.
    if (length === 0) {
      refuseMissingEnd(frame);
      return;
    }
    if (length < SOT_BYTES || at + length > frame.length) throw cut();
    at += length;
  }
  if (marker(at) === EOC) {
    if (parts.size < tiles) throw cut();
    return;
  }
  const whole = parts.size === tiles && [...parts.values()].every(({ seen, declared }) => seen === declared);
  if (!whole) throw cut();
}

/** EOC is the last marker, with padding behind it. */
function refuseMissingEnd(frame: Uint8Array): void {
  let end = frame.length;
  while (end > 0 && frame[end - 1] === 0) end--;
  if (end < 2 || frame[end - 2] !== 0xff || frame[end - 1] !== 0xd9) throw cut();
}

function cut(): CorruptFrameError {
  return new CorruptFrameError("its JPEG 2000 code stream is damaged or cut short");
}
