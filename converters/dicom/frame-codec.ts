/** What the header says of one frame, and what its decoded samples must fit. */
export interface FrameShape {
  readonly rows: number;
  readonly columns: number;
  /** 8, 16 or 32. */
  readonly bitsAllocated: number;
}

/**
 * Turns the bytes of one encoded frame into its samples, row by row, `bitsAllocated` bits each, little endian.
 * Stateless from frame to frame, so frames can be spread over threads that each open a codec. The samples are only good
 * until the next call: the decoder may use their memory again. After it has thrown, another decoder is to be opened.
 *
 * @throws CorruptFrameError
 */
export type DecodeFrame = (frame: Uint8Array, shape: FrameShape) => Uint8Array;

/** The bytes of a frame cannot be decoded, or are not the frame that the header describes. */
export class CorruptFrameError extends Error {
  override readonly name = "CorruptFrameError";
}

/** What an encoded frame says of its own image. */
export interface EncodedSize {
  readonly width: number;
  readonly height: number;
  readonly components: number;
  readonly bitsPerSample: number;
}

/**
 * A few bytes can declare gigabytes: what a frame says of itself must be what the DICOM header says, before any of it is
 * decoded.
 *
 * @throws CorruptFrameError
 */
export function refuseOtherSize(size: EncodedSize, { rows, columns, bitsAllocated }: FrameShape): void {
  const { width, height, components, bitsPerSample } = size;
  const holds =
    width === columns && height === rows && components === 1 && bitsPerSample <= Math.min(16, bitsAllocated);
  if (holds) return;
  throw new CorruptFrameError(
    `its frame holds ${width}x${height} pixels of ${components} components and ${bitsPerSample} bits, which is not what the header says`,
  );
}

/**
 * Samples of `from` bytes as samples of `to` bytes, in `room` where they differ; `signed` ones keep their sign.
 *
 * @returns `samples` themselves where there is nothing to change.
 */
export function widenSamples(
  samples: Uint8Array,
  from: number,
  to: number,
  signed: boolean,
  room: (bytes: number) => Uint8Array,
): Uint8Array {
  if (from === to) return samples;
  const count = samples.length / from;
  const wide = room(count * to);
  for (let n = 0; n < count; n++) {
    const fill = signed && samples[n * from + from - 1]! > 0x7f ? 0xff : 0;
    for (let b = 0; b < to; b++) wide[n * to + b] = b < from ? samples[n * from + b]! : fill;
  }
  return wide;
}

/** Memory that is kept from frame to frame and grows as it must; what it held before is still in it. */
export function reusableBytes(): (bytes: number) => Uint8Array {
  let kept = new Uint8Array(0);
  return (bytes) => {
    if (kept.length < bytes) kept = new Uint8Array(bytes);
    return kept.subarray(0, bytes);
  };
}
