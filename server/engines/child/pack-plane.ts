import { packBits } from "#converters/mask/index.ts";

/** One bit for each pixel of a plane, as planes travel. */
export function packPlane(mask: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(mask.length / 8));
  packBits(mask, bits);
  return bits;
}
