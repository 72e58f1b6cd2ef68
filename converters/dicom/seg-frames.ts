import type { BitVolume } from "../mask/index.ts";
import { anyBit, copyBits } from "./bit-copy.ts";

/** One frame of a SEG: one slice of one segment, never empty. */
export interface SegFrame {
  /** Counted from 1. */
  readonly segmentNumber: number;
  readonly sliceIndex: number;
}

/** The frames that say something, by segment and then by slice. */
export function nonEmptyFrames(masks: readonly BitVolume[]): readonly SegFrame[] {
  return masks.flatMap(({ size: [ni, nj, nk], bits }, n) => {
    const frames: SegFrame[] = [];
    for (let k = 0; k < nk; k++) {
      if (anyBit(bits, k * ni * nj, ni * nj)) frames.push({ segmentNumber: n + 1, sliceIndex: k });
    }
    return frames;
  });
}

/** Pixel data of BINARY frames: bits LSB first, running on across frames (PS3.3 section C.8.20.2.1, PS3.5 section 8.1.1). */
export function packFrames(frames: readonly SegFrame[], masks: readonly BitVolume[]): Uint8Array {
  const [ni, nj] = masks[0]!.size;
  const pixels = ni * nj;
  const packed = new Uint8Array(Math.ceil((frames.length * pixels) / 8));
  for (let f = 0; f < frames.length; f++) {
    const { segmentNumber, sliceIndex } = frames[f]!;
    copyBits(masks[segmentNumber - 1]!.bits, sliceIndex * pixels, packed, f * pixels, pixels);
  }
  return packed;
}

/** Whether a voxel belongs to more than one of the masks. All have the same size. */
export function masksOverlap(masks: readonly BitVolume[]): boolean {
  const [first, ...others] = masks;
  if (first === undefined || others.length === 0) return false;
  const union = first.bits.slice();
  for (const { bits } of others) {
    for (let n = 0; n < union.length; n++) {
      const byte = bits[n]!;
      if (byte === 0) continue;
      if ((union[n]! & byte) !== 0) return true;
      union[n]! |= byte;
    }
  }
  return false;
}
