import type { Vec3 } from "../geometry/index.ts";
import { type PlaneAxis, planeSize, planeWalk } from "../mask/index.ts";

/**
 * The axis that upstream walks along: the slices k where they are about square (2 |h - w| / (h + w) < 0.5), else the
 * shortest axis, k before j before i.
 */
export function chooseSliceAxis(shape: readonly [nk: number, nj: number, ni: number]): PlaneAxis {
  const [nk, nj, ni] = shape;
  if ((2 * Math.abs(nj - ni)) / (nj + ni) < 0.5) return 2;
  const shortest = Math.min(nk, nj, ni);
  return nk === shortest ? 2 : nj === shortest ? 1 : 0;
}

/** The plane `index` that stands on `axis`, its width fastest (see planeSize); written into `out` where given. */
export function takePlane<T extends Uint8Array | Float32Array>(
  voxels: T,
  size: Vec3,
  axis: PlaneAxis,
  index: number,
  out?: T,
): T {
  const [width, height] = planeSize(size, axis);
  const { start, stepAcross, stepDown } = planeWalk(size, axis, index);
  const plane = out ?? new (voxels.constructor as new (length: number) => T)(width * height);
  if (stepAcross === 1 && stepDown === width) {
    plane.set(voxels.subarray(start, start + width * height));
    return plane;
  }
  for (let y = 0, p = 0; y < height; y++) {
    let n = start + y * stepDown;
    for (let x = 0; x < width; x++, p++, n += stepAcross) plane[p] = voxels[n]!;
  }
  return plane;
}
