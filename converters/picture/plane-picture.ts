import type { Volume } from "../geometry/index.ts";
import { type BitVolume, planeWalk } from "../mask/index.ts";
import type { PlaneView } from "./plane-view.ts";

/** One plane of a volume on square pixels: values between 0 and 1, across fastest. */
export interface PlanePicture {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** The plane's size on square pixels of `mmPerPixel`. */
export function pictureSize(size: Volume["geometry"]["size"], { across, down }: PlaneView, mmPerPixel: number) {
  return {
    width: Math.round((size[across.axis] * across.mmPerVoxel) / mmPerPixel),
    height: Math.round((size[down.axis] * down.mmPerVoxel) / mmPerPixel),
  };
}

/** Plane `index` of the volume, linear between voxels; values below `lower` are 0, above `upper` 1. */
export function drawVolume(
  { geometry, voxels }: Volume,
  view: PlaneView,
  index: number,
  { lower, upper, mmPerPixel }: { readonly lower: number; readonly upper: number; readonly mmPerPixel: number },
): PlanePicture {
  const span = Math.max(upper - lower, Number.EPSILON);
  return draw(geometry.size, view, index, mmPerPixel, (n) => Math.min(1, Math.max(0, (voxels[n]! - lower) / span)));
}

/** Plane `index` of the mask, linear between voxels: its outline is where the value is one half. */
export function drawMask({ size, bits }: BitVolume, view: PlaneView, index: number, mmPerPixel: number): PlanePicture {
  return draw(size, view, index, mmPerPixel, (n) => (bits[n >>> 3]! >>> (n & 7)) & 1);
}

function draw(
  size: Volume["geometry"]["size"],
  view: PlaneView,
  index: number,
  mmPerPixel: number,
  valueAt: (voxel: number) => number,
): PlanePicture {
  const { width, height } = pictureSize(size, view, mmPerPixel);
  const { start, stepAcross, stepDown } = steps(size, view, index);
  const columns = taps(width, size[view.across.axis], view.across.reversed);
  const rows = taps(height, size[view.down.axis], view.down.reversed);
  const values = new Float32Array(width * height);
  for (let y = 0, p = 0; y < height; y++) {
    const row = rows[y]!;
    const above = start + row.first * stepDown;
    const below = start + row.second * stepDown;
    for (let x = 0; x < width; x++, p++) {
      const { first, second, weight } = columns[x]!;
      const left = first * stepAcross;
      const right = second * stepAcross;
      const top = valueAt(above + left) * (1 - weight) + valueAt(above + right) * weight;
      const bottom = valueAt(below + left) * (1 - weight) + valueAt(below + right) * weight;
      values[p] = top * (1 - row.weight) + bottom * row.weight;
    }
  }
  return { width, height, values };
}

/** planeWalk's steps, named by the picture instead of by the lower voxel axis. */
function steps(size: Volume["geometry"]["size"], { normal, across, down }: PlaneView, index: number) {
  const { start, stepAcross, stepDown } = planeWalk(size, normal, index);
  return across.axis < down.axis
    ? { start, stepAcross, stepDown }
    : { start, stepAcross: stepDown, stepDown: stepAcross };
}

/** For each pixel the two voxels that it lies between, and the weight of the second; beyond the ends the last voxel. */
function taps(pixels: number, voxels: number, reversed: boolean) {
  return Array.from({ length: pixels }, (_, pixel) => {
    const along = ((pixel + 0.5) / pixels) * voxels - 0.5;
    const position = Math.min(voxels - 1, Math.max(0, reversed ? voxels - 1 - along : along));
    const first = Math.floor(position);
    return { first, second: Math.min(first + 1, voxels - 1), weight: position - first };
  });
}
