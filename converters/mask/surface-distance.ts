import type { Vec3 } from "../geometry/index.ts";
import type { BitVolume } from "./bit-volume.ts";
import { squaredDistances } from "./distance-transform.ts";
import { cornersAround, neighbourCodes } from "./neighbour-codes.ts";
import { surfelAreas } from "./surfel-areas.ts";

/** How far a mask's surface lies from another's: areas by distance, nearest first. Empty where the mask is. */
export interface SurfaceDistances {
  /** Distinct, ascending; Infinity where the other mask is empty. */
  readonly distancesMm: Float64Array;
  /** Of the surface that lies so far away. */
  readonly areasMm2: Float64Array;
}

/**
 * The distances of two masks' surfaces, each from the other, as surface-distance measures them (Nikolov et al. 2018,
 * arXiv 1809.04430): points of a surface are the corners of voxels that have voxels inside and outside around them, each
 * stands for the area of its marching-cubes triangles, and its distance is that to the other surface's nearest corner. What
 * reaches the volume's edge is closed there.
 * @param spacingMm of voxels whose axes are at right angles
 * @throws RangeError where the masks differ in size
 */
export function surfaceDistances(
  a: BitVolume,
  b: BitVolume,
  spacingMm: Vec3,
): readonly [aToB: SurfaceDistances, bToA: SurfaceDistances] {
  if (a.size.some((length, axis) => length !== b.size[axis])) {
    throw new RangeError(`masks of ${a.size.join("x")} and ${b.size.join("x")}`);
  }
  const corners = cornersAround([a, b]);
  if (corners === undefined) return [NONE, NONE];
  const areas = surfelAreas(spacingMm);
  const [codesA, codesB] = [neighbourCodes(a, corners), neighbourCodes(b, corners)];
  const between = (from: Uint8Array, to: Uint8Array) =>
    gather(from, areas, squaredDistances(Uint8Array.from(to, isSurface), corners.size, spacingMm));
  return [between(codesA, codesB), between(codesB, codesA)];
}

/** The share of both surfaces that lies within `toleranceMm` of the other: 0 to 1; NaN where both masks are empty. */
export function surfaceDice(distances: readonly SurfaceDistances[], toleranceMm: number): number {
  let [within, total] = [0, 0];
  for (const { distancesMm, areasMm2 } of distances) {
    for (let n = 0; n < areasMm2.length; n++) {
      total += areasMm2[n]!;
      if (distancesMm[n]! <= toleranceMm) within += areasMm2[n]!;
    }
  }
  return within / total;
}

/**
 * The distance within which `percent` of each surface lies from the other, the larger of the two: 95 gives HD95, 100 the
 * Hausdorff distance. Infinity where a mask is empty.
 */
export function hausdorffMm(distances: readonly SurfaceDistances[], percent: number): number {
  return Math.max(...distances.map((one) => percentileMm(one, percent / 100)));
}

function percentileMm({ distancesMm, areasMm2 }: SurfaceDistances, share: number): number {
  const total = areasMm2.reduce((sum, area) => sum + area, 0);
  let within = 0;
  for (let n = 0; n < areasMm2.length; n++) {
    within += areasMm2[n]!;
    if (within / total >= share) return distancesMm[n]!;
  }
  return distancesMm.at(-1) ?? Number.POSITIVE_INFINITY;
}

const NONE: SurfaceDistances = { distancesMm: new Float64Array(0), areasMm2: new Float64Array(0) };

function isSurface(code: number): number {
  return code === 0 || code === 255 ? 0 : 1;
}

function gather(codes: Uint8Array, areas: Float64Array, squared: Float64Array): SurfaceDistances {
  const bySquare = new Map<number, number>();
  for (let n = 0; n < codes.length; n++) {
    const code = codes[n]!;
    if (code === 0 || code === 255) continue;
    bySquare.set(squared[n]!, (bySquare.get(squared[n]!) ?? 0) + areas[code]!);
  }
  const squares = Float64Array.from(bySquare.keys()).sort();
  return { distancesMm: squares.map(Math.sqrt), areasMm2: squares.map((square) => bySquare.get(square)!) };
}
