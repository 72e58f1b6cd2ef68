import { PNG } from "pngjs";
import type { RgbPicture } from "#converters/picture/index.ts";

/** A picture as the bytes of a PNG file. */
export function pngOf({ width, height, pixels }: RgbPicture): Uint8Array {
  const png = new PNG({ width, height });
  for (let from = 0, to = 0; from < pixels.length; from += 3, to += 4) {
    png.data.set(pixels.subarray(from, from + 3), to);
    png.data[to + 3] = 255;
  }
  return new Uint8Array(PNG.sync.write(png, { colorType: 2 }));
}
