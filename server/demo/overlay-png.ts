import { type OverlayInput, overlayPicture } from "#converters/picture/index.ts";
import { pngOf } from "../png.ts";

/** The overlay picture as the bytes of a PNG file. */
export function overlayPng(input: OverlayInput): Uint8Array {
  return pngOf(overlayPicture(input));
}
