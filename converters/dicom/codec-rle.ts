import { CorruptFrameError, type DecodeFrame, reusableBytes } from "./frame-codec.ts";

const HEADER_BYTES = 64;

/** A decoder of RLE Lossless (PS3.5 annex G): each byte of the samples, the highest first, is a PackBits segment of its own. */
export function openRle(): DecodeFrame {
  const room = reusableBytes();
  return (frame, { rows, columns, bitsAllocated }) => {
    const pixels = rows * columns;
    const bytesPerSample = bitsAllocated >> 3;
    const starts = segmentStarts(frame, bytesPerSample);
    const samples = room(pixels * bytesPerSample);
    for (let n = 0; n < bytesPerSample; n++) {
      const from = starts[n]!;
      const to = starts[n + 1] ?? frame.length;
      const filled = unpackSegment(frame, from, to, samples, bytesPerSample - 1 - n, bytesPerSample);
      if (filled < pixels)
        throw new CorruptFrameError(`its RLE segment ${n + 1} ends after ${filled} of ${pixels} pixels`);
    }
    return samples;
  };
}

/** @throws CorruptFrameError where there is not one segment for each byte of a sample. */
function segmentStarts(frame: Uint8Array, bytesPerSample: number): readonly number[] {
  if (frame.length < HEADER_BYTES) throw new CorruptFrameError("its RLE header is cut short");
  const header = new DataView(frame.buffer, frame.byteOffset, HEADER_BYTES);
  const count = header.getUint32(0, true);
  if (count !== bytesPerSample) {
    throw new CorruptFrameError(`its RLE header has ${count} segments where its pixels have ${bytesPerSample} bytes`);
  }
  const starts = Array.from({ length: count }, (_, n) => header.getUint32(4 + n * 4, true));
  const ascending = starts.every((at, n) => at >= (n === 0 ? HEADER_BYTES : starts[n - 1]!) && at <= frame.length);
  if (!ascending) throw new CorruptFrameError("its RLE segments do not lie within the frame");
  return starts;
}

/**
 * Writes the bytes of one segment to `samples`, every `stride` bytes from `first` on. What a segment holds beyond the
 * frame is dropped: some encoders pad.
 *
 * @returns how many bytes were written.
 */
function unpackSegment(
  frame: Uint8Array,
  from: number,
  to: number,
  samples: Uint8Array,
  first: number,
  stride: number,
): number {
  const end = samples.length;
  let at = from;
  let out = first;
  while (at < to && out < end) {
    const code = frame[at++]!;
    if (code < 128) {
      const stop = Math.min(at + code + 1, to);
      const fits = Math.ceil((end - out) / stride);
      const last = Math.min(stop, at + fits);
      for (; at < last; at++, out += stride) samples[out] = frame[at]!;
      at = stop;
    } else if (code > 128) {
      if (at >= to) break;
      const value = frame[at++]!;
      const last = Math.min(out + (257 - code) * stride, end);
      for (; out < last; out += stride) samples[out] = value;
    }
  }
  return Math.ceil((Math.min(out, end + stride - 1) - first) / stride);
}
