import type { PlaneSize } from "./bicubic.ts";
import { nearestToCentre, nearestToCorner } from "./cubic-taps.ts";
import { squarePadding } from "./pad.ts";

/**
 * Which pixel of the picture answers for a pixel of the slice: `corner` is upstream's floor(i * from / to), up to half a
 * pixel off where the sizes differ; `centre` is the one under the pixel's centre.
 */
export type NearestRule = "corner" | "centre";

/**
 * For each pixel of a plane, the pixel of the network's square picture that answers for it: nearest neighbour from
 * `imageSize` to the padded square, and the padding taken away.
 */
export function planeToPicture(plane: PlaneSize, imageSize: number, rule: NearestRule): Int32Array {
  const [width, height] = plane;
  const { side, left, top } = squarePadding(plane);
  const nearest = rule === "corner" ? nearestToCorner(imageSize, side) : nearestToCentre(imageSize, side);
  const source = new Int32Array(width * height);
  for (let y = 0, p = 0; y < height; y++) {
    const row = nearest[y + top]! * imageSize;
    for (let x = 0; x < width; x++, p++) source[p] = row + nearest[x + left]!;
  }
  return source;
}
