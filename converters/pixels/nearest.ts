import type { PlaneSize } from "./bicubic.ts";
import { nearestIndices } from "./cubic-taps.ts";
import { squarePadding } from "./pad.ts";

/**
 * For each pixel of a plane, the pixel of the network's square picture that answers for it: nearest neighbour from
 * `imageSize` to the padded square (floor(i * from / to)), and the padding taken away.
 */
export function planeToPicture(plane: PlaneSize, imageSize: number): Int32Array {
  const [width, height] = plane;
  const { side, left, top } = squarePadding(plane);
  const nearest = nearestIndices(imageSize, side);
  const source = new Int32Array(width * height);
  for (let y = 0, p = 0; y < height; y++) {
    const row = nearest[y + top]! * imageSize;
    for (let x = 0; x < width; x++, p++) source[p] = row + nearest[x + left]!;
  }
  return source;
}
