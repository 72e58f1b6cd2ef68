import { length, subtract, transformPoint, type Vec3, type VolumeGeometry } from "../geometry/index.ts";
import type { BitVolume, PlaneAxis } from "./bit-volume.ts";
import { findRuns } from "./runs.ts";

/** A straight line between two points on a mask's outline, mm in LPS. */
export interface Diameter {
  readonly mm: number;
  readonly ends: readonly [Vec3, Vec3];
}

/**
 * The longest line across the mask within one axial plane: of the grid's planes those that lie most across the
 * patient's long axis. It runs from outline to outline, halfway between voxels inside and outside, so that a row of n
 * voxels is n voxels long; what lies between its ends need not be mask. Undefined where the mask is empty.
 */
export function longestAxialDiameter(mask: BitVolume, geometry: VolumeGeometry): Diameter | undefined {
  const axis = axisAlongPatient(geometry);
  let best: Diameter | undefined;
  for (const outline of outlines(mask, axis)) {
    const hull = convexHull(outline).map(([x, y, plane]) =>
      transformPoint(geometry.ijkToLps, place(axis, x, y, plane)),
    );
    for (let a = 0; a < hull.length; a++) {
      for (let b = a + 1; b < hull.length; b++) {
        const mm = length(subtract(hull[a]!, hull[b]!));
        if (mm > (best?.mm ?? 0)) best = { mm, ends: [hull[a]!, hull[b]!] };
      }
    }
  }
  return best;
}

/** The grid's axis that runs most from feet to head. */
function axisAlongPatient({ ijkToLps: m }: VolumeGeometry): PlaneAxis {
  const alongZ = ([m[8], m[9], m[10]] as const).map((z, c) => Math.abs(z) / Math.hypot(m[c]!, m[c + 4]!, z));
  return alongZ.reduce<PlaneAxis>((best, part, c) => (part > alongZ[best]! + 1e-9 ? (c as PlaneAxis) : best), 2);
}

/** Across, down and the number of the plane, in voxels. */
type PlanePoint = readonly [x: number, y: number, plane: number];

function place(axis: PlaneAxis, x: number, y: number, plane: number): Vec3 {
  return axis === 2 ? [x, y, plane] : axis === 1 ? [x, plane, y] : [plane, x, y];
}

/** For each plane with voxels, points of the outline that hold its convex hull. */
function* outlines(mask: BitVolume, axis: PlaneAxis): Generator<PlanePoint[]> {
  const [ni, nj, nk] = mask.size;
  const [planes, height] = axis === 2 ? [nk, nj] : axis === 1 ? [nj, nk] : [ni, nk];
  const lowest = new Int32Array(planes * height).fill(-1);
  const highest = new Int32Array(planes * height);
  const { first, last, rowStart } = findRuns(mask);
  const widen = (line: number, from: number, to: number) => {
    if (lowest[line] === -1 || from < lowest[line]!) lowest[line] = from;
    if (to > highest[line]!) highest[line] = to;
  };
  for (let row = 0; row < nj * nk; row++) {
    const [j, k] = [row % nj, Math.floor(row / nj)];
    for (let r = rowStart[row]!; r < rowStart[row + 1]!; r++) {
      if (axis === 2) widen(k * nj + j, first[r]!, last[r]!);
      else if (axis === 1) widen(j * nk + k, first[r]!, last[r]!);
      else for (let i = first[r]!; i <= last[r]!; i++) widen(i * nk + k, j, j);
    }
  }
  for (let plane = 0; plane < planes; plane++) {
    const points: PlanePoint[] = [];
    for (let y = 0; y < height; y++) {
      const line = plane * height + y;
      const [from, to] = [lowest[line]!, highest[line]!];
      if (from === -1) continue;
      points.push([from - 0.5, y, plane], [to + 0.5, y, plane]);
      for (const x of from === to ? [from] : [from, to]) points.push([x, y - 0.5, plane], [x, y + 0.5, plane]);
    }
    if (points.length > 0) yield points;
  }
}

/** Andrew's monotone chain. */
function convexHull(points: PlanePoint[]): PlanePoint[] {
  const sorted = points.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]);
  return [...chain(sorted), ...chain(sorted.toReversed())];
}

function chain(points: readonly PlanePoint[]): PlanePoint[] {
  const kept: PlanePoint[] = [];
  for (const point of points) {
    while (kept.length > 1 && turn(kept.at(-2)!, kept.at(-1)!, point) <= 0) kept.pop();
    kept.push(point);
  }
  return kept.slice(0, -1);
}

function turn(a: PlanePoint, b: PlanePoint, c: PlanePoint): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}
