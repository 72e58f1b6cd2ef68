import { UnsupportedSeriesError } from "../errors.ts";
import { dot, length, subtract, type Vec3 } from "../geometry/index.ts";

/** Where one slice lies: the geometry of its pixels, mm in LPS. */
export interface SlicePlane {
  readonly rows: number;
  readonly columns: number;
  /** From one column to the next (along i), a unit vector. */
  readonly rowDirection: Vec3;
  /** From one row to the next (along j), a unit vector. */
  readonly columnDirection: Vec3;
  /** rowDirection x columnDirection. */
  readonly normal: Vec3;
  readonly betweenRows: number;
  readonly betweenColumns: number;
  /** Centre of the first pixel. */
  readonly positionLps: Vec3;
}

/** Parallel slices of one size at distinct positions, which need not be regular. */
export interface SliceOrder {
  /** Indices of the planes, from the lowest along the normal to the highest. */
  readonly order: readonly number[];
  /** Along the normal, mm, in that order. */
  readonly heights: readonly number[];
}

/** Fewer slices are a sample, not a volume. */
const MIN_SLICES = 3;
/** Positions closer than this are one position, mm. */
export const SAME_POSITION_MM = 0.01;
/** Largest difference between two unit vectors that count as one direction: 0.06 degrees. */
const DIRECTION_TOLERANCE = 1e-3;
const PIXEL_SPACING_TOLERANCE = 1e-3;

/** @throws UnsupportedSeriesError where slices differ in more than their position, share one, or are too few. */
export function orderSlices(planes: readonly SlicePlane[]): SliceOrder {
  const reference = planes[0];
  if (reference === undefined) {
    throw new UnsupportedSeriesError("empty-series", "The series has no instances. Check that it was sent completely.");
  }
  refuseMixedOrientation(planes);
  refuseMixedSize(planes);
  const along = planes.map((plane) => dot(plane.positionLps, reference.normal));
  const order = planes.map((_, n) => n).sort((a, b) => along[a]! - along[b]!);
  const heights = order.map((n) => along[n]!);
  refuseRepeatedPositions(heights);
  if (planes.length < MIN_SLICES) {
    throw new UnsupportedSeriesError(
      "too-few-slices",
      `${planes.length === 1 ? "There is 1 slice" : `There are ${planes.length} slices`}; a volume needs at least ${MIN_SLICES}. Send the complete series or choose another one.`,
      { slices: planes.length },
    );
  }
  return { order, heights };
}

/** How many heights parallel planes lie at, and at which of them, counted from 0, each one lies. */
export function distinctHeights(planes: readonly SlicePlane[]): {
  readonly count: number;
  readonly indexOf: readonly number[];
} {
  const normal = planes[0]?.normal ?? [0, 0, 1];
  const heights = planes.map((plane) => dot(plane.positionLps, normal));
  const order = planes.map((_, n) => n).sort((a, b) => heights[a]! - heights[b]!);
  const indexOf = new Array<number>(planes.length).fill(0);
  let count = 0;
  let previous = Number.NEGATIVE_INFINITY;
  for (const n of order) {
    if (heights[n]! - previous >= SAME_POSITION_MM) count++;
    indexOf[n] = count - 1;
    previous = heights[n]!;
  }
  return { count, indexOf };
}

/** Whether two planes have one matrix and, but for rounding, one pixel spacing. */
export function sameSize(a: SlicePlane, b: SlicePlane): boolean {
  const near = (x: number, y: number) => Math.abs(x - y) <= PIXEL_SPACING_TOLERANCE * y;
  return (
    a.columns === b.columns &&
    a.rows === b.rows &&
    near(a.betweenColumns, b.betweenColumns) &&
    near(a.betweenRows, b.betweenRows)
  );
}

export function sameOrientation(a: SlicePlane, b: SlicePlane): boolean {
  return (
    length(subtract(a.rowDirection, b.rowDirection)) < DIRECTION_TOLERANCE &&
    length(subtract(a.columnDirection, b.columnDirection)) < DIRECTION_TOLERANCE
  );
}

function refuseMixedSize(planes: readonly SlicePlane[]): void {
  const first = planes[0]!;
  if (planes.every((plane) => sameSize(first, plane))) return;
  const sizes = countBy(planes, ({ columns, rows }) => `${columns}x${rows} pixels`);
  const mixed = sizes.size > 1 ? sizes : countBy(planes, (plane) => spell(sameSize(first, plane) ? first : plane));
  throw new UnsupportedSeriesError(
    "mixed-size",
    `The slices differ in size: ${spellCounts(mixed)}. Choose a series of one reconstruction, or one of this one's volumes by number.`,
    { sizes: Object.fromEntries(mixed) },
  );
}

function spell({ betweenColumns, betweenRows }: SlicePlane): string {
  return `${betweenColumns.toFixed(4)}x${betweenRows.toFixed(4)} mm pixels`;
}

function refuseMixedOrientation(planes: readonly SlicePlane[]): void {
  const groups: { readonly plane: SlicePlane; count: number }[] = [];
  for (const plane of planes) {
    const group = groups.find(({ plane: other }) => sameOrientation(plane, other));
    if (group) group.count++;
    else if (groups.length < 100) groups.push({ plane, count: 1 });
  }
  if (groups.length < 2) return;
  const [most, next] = groups.toSorted((a, b) => b.count - a.count);
  const cosine = Math.min(1, Math.max(-1, dot(most!.plane.normal, next!.plane.normal)));
  const degrees = (Math.acos(cosine) * 180) / Math.PI;
  throw new UnsupportedSeriesError(
    "mixed-orientation",
    `The slices lie in ${groups.length} orientations (${groups.map(({ count }) => count).join(", ")} slices; their normals ${degrees.toFixed(1)} degrees apart). Choose a series of one orientation, or one of this one's volumes by number.`,
    { orientations: groups.length, degrees },
  );
}

/** @param heights positions along the normal, ascending. */
function refuseRepeatedPositions(heights: readonly number[]): void {
  const runs: number[] = [];
  let previous = Number.NEGATIVE_INFINITY;
  for (const height of heights) {
    if (height - previous < SAME_POSITION_MM) runs[runs.length - 1]! += 1;
    else runs.push(1);
    previous = height;
  }
  if (runs.length === heights.length) return;
  if (runs.length === 1) {
    throw new UnsupportedSeriesError(
      "single-position",
      `All ${heights.length} slices lie at one position: a time series or a scout, not a volume. Choose another series.`,
      { slices: heights.length },
    );
  }
  const volumes = runs[0]!;
  if (runs.every((count) => count === volumes)) {
    throw new UnsupportedSeriesError(
      "several-volumes",
      `Each of the ${runs.length} positions occurs ${volumes} times: the series holds ${volumes} volumes that nothing in the headers tells apart. Choose a series of one volume, or split this one.`,
      { positions: runs.length, volumes },
    );
  }
  const at = runs.findIndex((count) => count > 1);
  const repeated = runs.filter((count) => count > 1).length;
  throw new UnsupportedSeriesError(
    "duplicate-position",
    `${repeated === 1 ? "One position occurs" : `${repeated} positions occur`} more than once: first position ${at + 1} of ${runs.length} (from the lowest), ${runs[at]} times. Remove the slices that were sent twice, or split the series.`,
    { position: at + 1, positions: runs.length, repeated },
  );
}

function countBy<T>(values: readonly T[], key: (value: T) => string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(key(value), (counts.get(key(value)) ?? 0) + 1);
  return counts;
}

function spellCounts(counts: ReadonlyMap<string, number>): string {
  const most = [...counts].toSorted((a, b) => b[1] - a[1]);
  const named = most.slice(0, 3).map(([name, count]) => `${count} of ${name}`);
  return named.join(", ") + (most.length > 3 ? ` and ${most.length - 3} more` : "");
}
