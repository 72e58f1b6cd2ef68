import { length, subtract, transformPoint, type Vec3, type VolumeGeometry } from "../geometry/index.ts";
import type { BitVolume, PlaneAxis } from "./bit-volume.ts";
import { findRuns, type Runs } from "./runs.ts";

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
  const [ni, nj, nk] = mask.size;
  const everywhere = { min: [0, 0, 0], max: [ni - 1, nj - 1, nk - 1] } as const;
  return longestAxialLine(findRuns(mask), nj, geometry, { boxIjk: everywhere });
}

/** Which runs are meant: all within the box, or those of one piece. */
export interface PartOfRuns {
  /** The first and last voxel along each axis, both included. */
  readonly boxIjk: { readonly min: Vec3; readonly max: Vec3 };
  readonly pieceOf?: Int32Array;
  readonly piece?: number;
}

/** As longestAxialDiameter, of some runs of a mask with rows of `nj` voxels along j. */
export function longestAxialLine(
  runs: Runs,
  nj: number,
  geometry: VolumeGeometry,
  part: PartOfRuns,
): Diameter | undefined {
  const axis = axisAlongPatient(geometry);
  let best: Diameter | undefined;
  for (const hull of hulls(runs, nj, axis, part)) {
    const points = hull.map(([x, y, plane]) => transformPoint(geometry.ijkToLps, place(axis, x, y, plane)));
    best = longestBetween(points, best);
  }
  return best;
}

function longestBetween(hull: readonly Vec3[], best: Diameter | undefined): Diameter | undefined {
  let ends: Diameter["ends"] | undefined;
  let most = (best?.mm ?? 0) ** 2;
  for (let a = 0; a < hull.length; a++) {
    const from = hull[a]!;
    for (let b = a + 1; b < hull.length; b++) {
      const to = hull[b]!;
      const square = (from[0] - to[0]) ** 2 + (from[1] - to[1]) ** 2 + (from[2] - to[2]) ** 2;
      if (square <= most) continue;
      most = square;
      ends = [from, to];
    }
  }
  return ends ? { mm: length(subtract(ends[0], ends[1])), ends } : best;
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

/** For each plane with voxels, the corners of the convex hull of its outline. */
function* hulls(runs: Runs, nj: number, axis: PlaneAxis, part: PartOfRuns): Generator<PlanePoint[]> {
  const { min, max } = part.boxIjk;
  const [across, normal] = axis === 2 ? ([1, 2] as const) : axis === 1 ? ([2, 1] as const) : ([2, 0] as const);
  const [height, planes] = [max[across] - min[across] + 1, max[normal] - min[normal] + 1];
  const lowest = new Int32Array(planes * height).fill(-1);
  const highest = new Int32Array(planes * height);
  const widen = (plane: number, y: number, from: number, to: number) => {
    const line = (plane - min[normal]) * height + (y - min[across]);
    if (lowest[line] === -1 || from < lowest[line]!) lowest[line] = from;
    if (to > highest[line]!) highest[line] = to;
  };
  const { first, last, rowStart } = runs;
  for (let k = min[2]; k <= max[2]; k++) {
    for (let j = min[1]; j <= max[1]; j++) {
      const row = k * nj + j;
      for (let r = rowStart[row]!; r < rowStart[row + 1]!; r++) {
        if (part.pieceOf && part.pieceOf[r] !== part.piece) continue;
        if (axis === 2) widen(k, j, first[r]!, last[r]!);
        else if (axis === 1) widen(j, k, first[r]!, last[r]!);
        else for (let i = first[r]!; i <= last[r]!; i++) widen(i, k, j, j);
      }
    }
  }
  // Level 2 y + 1 runs through the centres of line y, the levels beside it along its edges: see longestAxialDiameter.
  const left = new Float64Array(2 * height + 1);
  const right = new Float64Array(2 * height + 1);
  for (let plane = 0; plane < planes; plane++) {
    left.fill(Infinity);
    right.fill(-Infinity);
    const reach = (level: number, from: number, to: number) => {
      left[level] = Math.min(left[level]!, from);
      right[level] = Math.max(right[level]!, to);
    };
    for (let y = 0; y < height; y++) {
      const [from, to] = [lowest[plane * height + y]!, highest[plane * height + y]!];
      if (from === -1) continue;
      reach(2 * y, from, to);
      reach(2 * y + 1, from - 0.5, to + 0.5);
      reach(2 * y + 2, from, to);
    }
    const corners = [...chain(left, 1), ...chain(right, -1)];
    if (corners.length === 0) continue;
    yield corners.map(([x, level]) => [x, (level - 1) / 2 + min[across], plane + min[normal]]);
  }
}

/** One side of the hull, from the first level to the last: Andrew's monotone chain, whose points are in order already. */
function chain(xs: Float64Array, side: 1 | -1): (readonly [x: number, level: number])[] {
  const kept: (readonly [number, number])[] = [];
  for (const [level, x] of xs.entries()) {
    if (!Number.isFinite(x)) continue;
    while (kept.length > 1 && side * turn(kept.at(-2)!, kept.at(-1)!, x, level) <= 0) kept.pop();
    kept.push([x, level]);
  }
  return kept;
}

/** Positive where b has a smaller x than the line from a to (x, level). */
function turn(a: readonly [number, number], b: readonly [number, number], x: number, level: number): number {
  return (b[1] - a[1]) * (x - a[0]) - (b[0] - a[0]) * (level - a[1]);
}
