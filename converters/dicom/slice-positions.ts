import {
  dot,
  length,
  type SourceInstance,
  subtract,
  transformPoint,
  type Vec3,
  type VolumeGeometry,
} from "../geometry/index.ts";
import { type PlaneAxes, planeAxes } from "./plane-axes.ts";

/**
 * How the grid's slices lie, where DICOM can say so and the sources lie on them.
 * @param uneven slices lie where their sources say, and nowhere else
 * @throws RangeError where rows and columns are not at a right angle, or a source lies elsewhere than its slice
 */
export function checkedAxes(geometry: VolumeGeometry, sources: readonly SourceInstance[], uneven = false): PlaneAxes {
  const axes = planeAxes(geometry.ijkToLps);
  if (axes === undefined) throw new RangeError("the grid's rows and columns are not at a right angle");
  if (uneven) {
    checkOrder(geometry, sources, axes);
    return axes;
  }
  for (const { sliceIndex, positionLps } of sources) {
    const expected = transformPoint(geometry.ijkToLps, [0, 0, sliceIndex]);
    if (!(length(subtract(positionLps, expected)) <= Math.abs(axes.sliceStep) / 2)) {
      throw new RangeError(`the source of slice ${sliceIndex} lies elsewhere than the slice`);
    }
  }
  return axes;
}

function checkOrder(
  { size }: VolumeGeometry,
  sources: readonly SourceInstance[],
  { normal, sliceStep }: PlaneAxes,
): void {
  const own = new Map(sources.map(({ sliceIndex, positionLps }) => [sliceIndex, positionLps]));
  const heights = Array.from({ length: size[2] }, (_, k) => dot(own.get(k) ?? [NaN, NaN, NaN], normal));
  const inOrder = heights.every((height, k) =>
    k === 0 ? !Number.isNaN(height) : (height - heights[k - 1]!) * sliceStep > 0,
  );
  if (!inOrder)
    throw new RangeError("slices that lie where their sources say need a source each, in the slices' order");
}

/** Image Position (Patient) of each slice: its source's own where it has one. */
export function slicePositions(geometry: VolumeGeometry, sources: readonly SourceInstance[]): readonly Vec3[] {
  const own = new Map(sources.map(({ sliceIndex, positionLps }) => [sliceIndex, positionLps]));
  return Array.from({ length: geometry.size[2] }, (_, k) => own.get(k) ?? transformPoint(geometry.ijkToLps, [0, 0, k]));
}

/** @throws RangeError where a mask is on another grid. */
export function checkSizes(geometry: VolumeGeometry, masks: readonly { readonly size: Vec3 }[]): void {
  if (masks.some(({ size }) => size.some((length, axis) => length !== geometry.size[axis]))) {
    throw new RangeError("a mask's size is not the geometry's: masks are given on the series' own grid");
  }
}
