import type { BitVolume } from "./bit-volume.ts";
import type { Polygon } from "./outline.ts";

/**
 * Sets the voxels of slice k whose centres lie inside the polygons: within an odd number of them where they lie in each
 * other. A centre on a line belongs to the side of larger i, or of larger j, so that polygons that share a line share no
 * voxel and leave none out. What reaches beyond the grid is cut off.
 */
export function fillPolygons(mask: BitVolume, k: number, polygons: readonly Polygon[]): void {
  const [ni, nj] = mask.size;
  const { bits } = mask;
  const crossings: number[][] = Array.from({ length: nj }, () => []);
  for (const polygon of polygons) {
    for (let n = 0; n < polygon.length; n++) collect(crossings, polygon[n]!, polygon[(n + 1) % polygon.length]!);
  }
  for (let j = 0; j < nj; j++) {
    const row = crossings[j]!.sort((a, b) => a - b);
    const start = (k * nj + j) * ni;
    for (let c = 0; c + 1 < row.length; c += 2) {
      const end = Math.min(ni, Math.ceil(row[c + 1]!));
      for (let i = Math.max(0, Math.ceil(row[c]!)); i < end; i++) {
        const n = start + i;
        bits[Math.floor(n / 8)]! |= 1 << (n & 7);
      }
    }
  }
}

/** Where the edge crosses the rows of voxel centres that it spans, its lower end included and its upper end not. */
function collect(crossings: number[][], a: readonly [number, number], b: readonly [number, number]): void {
  const [low, high] = a[1] < b[1] ? [a, b] : [b, a];
  const slope = (high[0] - low[0]) / (high[1] - low[1]);
  const last = Math.min(crossings.length, Math.ceil(high[1]));
  for (let j = Math.max(0, Math.ceil(low[1])); j < last; j++) crossings[j]!.push(low[0] + (j - low[1]) * slope);
}
