import { CorruptFrameError, type DecodeFrame } from "./frame-codec.ts";
import { KERNEL_SLACK, kernelBytes, openPixelKernels } from "./pixel-kernels.ts";

const HEADER_BYTES = 64;
/** The largest slice in four bytes a pixel takes less than this, however badly it packs. */
const MAX_FRAME_BYTES = 256 * 1024 * 1024;

/** A decoder of RLE Lossless (PS3.5 annex G): each byte of the samples, the highest first, is a PackBits segment of its own. */
export function openRle(): DecodeFrame {
  const kernels = openPixelKernels();
  return (given, { rows, columns, bitsAllocated }) => {
    const frame = given.subarray(0, MAX_FRAME_BYTES);
    const pixels = rows * columns;
    const bytesPerSample = bitsAllocated >> 3;
    const starts = segmentStarts(frame, bytesPerSample);
    // In the kernels' memory: the frame, the plane of each segment, and the samples where there are several planes.
    const plane = pixels + KERNEL_SLACK;
    const planesAt = frame.length + KERNEL_SLACK;
    const samplesAt = bytesPerSample === 1 ? planesAt : Math.ceil((planesAt + bytesPerSample * plane) / 4) * 4;
    const memory = kernelBytes(kernels, samplesAt + pixels * bytesPerSample + KERNEL_SLACK);
    memory.set(frame);
    for (let n = 0; n < bytesPerSample; n++) {
      const filled = kernels.unpackBits(starts[n]!, starts[n + 1] ?? frame.length, planesAt + n * plane, pixels);
      if (filled < pixels)
        throw new CorruptFrameError(`its RLE segment ${n + 1} ends after ${filled} of ${pixels} pixels`);
    }
    const samples = memory.subarray(samplesAt, samplesAt + pixels * bytesPerSample);
    if (bytesPerSample === 2) kernels.pairBytes(planesAt + plane, planesAt, samplesAt, pixels);
    if (bytesPerSample > 2) interleave(memory.subarray(planesAt), plane, bytesPerSample, samples);
    return samples;
  };
}

/** The planes, one every `plane` bytes and the highest first, as bytes beside each other. */
function interleave(planes: Uint8Array, plane: number, count: number, samples: Uint8Array): void {
  for (let n = 0; n < count; n++) {
    const from = (count - 1 - n) * plane;
    for (let out = n, at = from; out < samples.length; out += count, at++) samples[out] = planes[at]!;
  }
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
