/** What the header says of one frame, and what its decoded samples must fit. */
export interface FrameShape {
  readonly rows: number;
  readonly columns: number;
  /** 8, 16 or 32. */
  readonly bitsAllocated: number;
}

/**
 * Turns the bytes of one encoded frame into its samples, row by row, `bitsAllocated` bits each, little endian.
 * Stateless from frame to frame, so frames can be spread over threads that each open a codec.
 *
 * @throws CorruptFrameError
 */
export type DecodeFrame = (frame: Uint8Array, shape: FrameShape) => Uint8Array;

/** The bytes of a frame cannot be decoded, or are not the frame that the header describes. */
export class CorruptFrameError extends Error {
  override readonly name = "CorruptFrameError";
}
