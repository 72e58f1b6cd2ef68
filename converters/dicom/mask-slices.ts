import type { Vec3 } from "../geometry/index.ts";
import { type BitVolume, createBitVolume } from "../mask/index.ts";
import { anyBit, copyBits } from "./bit-copy.ts";
import type { FrameBytes } from "./seg-pixels.ts";

/** A mask that is made slice by slice: there is never more of it in memory than one. */
export interface MaskSlices {
  readonly size: Vec3;
  /** Slice k, packed LSB first from bit 0 on; good until the next one is asked for. */
  slice(k: number): Uint8Array;
}

/** Where the bits of slice k stand. */
export function sliceBits(mask: BitVolume | MaskSlices, k: number): FrameBytes {
  if (!("bits" in mask)) return { bytes: mask.slice(k), startBit: 0 };
  return { bytes: mask.bits, startBit: k * mask.size[0] * mask.size[1] };
}

export function hasVoxel(mask: BitVolume | MaskSlices, k: number): boolean {
  const { bytes, startBit } = sliceBits(mask, k);
  return anyBit(bytes, startBit, mask.size[0] * mask.size[1]);
}

export function isEmptyMask(mask: BitVolume | MaskSlices): boolean {
  for (let k = 0; k < mask.size[2]; k++) if (hasVoxel(mask, k)) return false;
  return true;
}

/** Slice k as a mask of its own. */
export function singleSlice(mask: BitVolume | MaskSlices, k: number): BitVolume {
  const size: Vec3 = [mask.size[0], mask.size[1], 1];
  if (!("bits" in mask)) return { size, bits: mask.slice(k) };
  const single = createBitVolume(size);
  const pixels = size[0] * size[1];
  copyBits(mask.bits, k * pixels, single.bits, 0, pixels);
  return single;
}
