import { UnsupportedSeriesError } from "../errors.ts";
import { dot, fromColumns, length, type Mat4, scale, subtract, type Vec3 } from "../geometry/index.ts";

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

/** Slices that form one regular grid. */
export interface SliceStack {
  /** Indices of the planes, from the lowest along the normal to the highest: the k axis. */
  readonly order: readonly number[];
  readonly size: Vec3;
  readonly ijkToLps: Mat4;
}

/** Fewer slices are a sample, not a volume. */
const MIN_SLICES = 3;
/** Positions closer than this are one position, mm. */
const SAME_POSITION_MM = 0.01;
/** How far a gap, or a slice sideways, may be from regular: this part of the spacing, but never less than rounding. */
const SPACING_TOLERANCE = 0.01;
const ROUNDING_MM = 0.001;
/** Sine of the largest angle between the stack's step and its normal: 0.3 degrees. */
const TILT_TOLERANCE = 0.005;
/** Largest difference between two unit vectors that count as one direction: 0.06 degrees. */
const DIRECTION_TOLERANCE = 1e-3;
const PIXEL_SPACING_TOLERANCE = 1e-3;

/**
 * Orders slices by their position along the normal and checks that they form one regular grid. The order they come in
 * does not matter. The step along k is the mean one, so both end slices lie exactly where they say.
 *
 * @throws UnsupportedSeriesError with the reason, the slices (numbered from 1, the lowest) and the figures in mm.
 */
export function stackSlices(planes: readonly SlicePlane[]): SliceStack {
  const { order, heights } = orderSlices(planes);
  const positions = order.map((n) => planes[n]!.positionLps);
  const step = meanStep(positions);
  const lowest = planes[order[0]!]!;
  refuseTilt(step, lowest.normal);
  refuseUnevenGaps(heights);
  refuseShiftedSlices(positions, step);
  return {
    order,
    size: [lowest.columns, lowest.rows, planes.length],
    ijkToLps: fromColumns(
      scale(lowest.rowDirection, lowest.betweenColumns),
      scale(lowest.columnDirection, lowest.betweenRows),
      step,
      lowest.positionLps,
    ),
  };
}

/** Parallel slices of one size at distinct positions, which need not be regular. */
export interface SliceOrder {
  /** Indices of the planes, from the lowest along the normal to the highest. */
  readonly order: readonly number[];
  /** Along the normal, mm, in that order. */
  readonly heights: readonly number[];
}

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
      `There are ${planes.length} slices; a volume needs at least ${MIN_SLICES}. Send the complete series or choose another one.`,
      { slices: planes.length },
    );
  }
  return { order, heights };
}

/** How many heights parallel planes lie at, and at which of them, counted from 0, each one lies. */
export function distinctHeights(planes: readonly SlicePlane[]): { readonly count: number; readonly indexOf: readonly number[] } {
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

function meanStep(positions: readonly Vec3[]): Vec3 {
  return scale(subtract(positions.at(-1)!, positions[0]!), 1 / (positions.length - 1));
}

function refuseTilt(step: Vec3, normal: Vec3): void {
  const sideways = length(subtract(step, scale(normal, dot(step, normal))));
  if (sideways <= TILT_TOLERANCE * length(step)) return;
  const degrees = (Math.asin(sideways / length(step)) * 180) / Math.PI;
  throw new UnsupportedSeriesError(
    "gantry-tilt",
    `The slices are stacked at ${degrees.toFixed(1)} degrees to their normal (gantry tilt): each lies ${sideways.toFixed(2)} mm sideways of the one below it. Choose a reconstruction without tilt.`,
    { degrees, shiftMm: sideways },
  );
}

/** @param heights positions along the normal, ascending and distinct. */
function refuseUnevenGaps(heights: readonly number[]): void {
  const gaps = heights.slice(1).map((height, n) => height - heights[n]!);
  const spacing = gaps.toSorted((a, b) => a - b)[(gaps.length - 1) >> 1]!;
  const tolerance = Math.max(SPACING_TOLERANCE * spacing, ROUNDING_MM);
  const uneven = gaps.flatMap((gap, n) => (Math.abs(gap - spacing) > tolerance ? [{ gap, afterSlice: n + 1 }] : []));
  const [first] = uneven;
  if (first === undefined) return;
  const slicesInGap = (gap: number) => Math.round(gap / spacing) - 1;
  const holes = uneven.every(
    ({ gap }) =>
      slicesInGap(gap) > 0 && Math.abs(gap - (slicesInGap(gap) + 1) * spacing) <= tolerance * (slicesInGap(gap) + 1),
  );
  const where = `after slice ${first.afterSlice} of ${heights.length} (from the lowest) the next one is ${first.gap.toFixed(2)} mm away, where ${spacing.toFixed(2)} mm is usual`;
  if (holes) {
    const missing = uneven.reduce((sum, { gap }) => sum + slicesInGap(gap), 0);
    throw new UnsupportedSeriesError(
      "missing-slice",
      `${missing === 1 ? "A slice is missing" : `${missing} slices are missing`}: ${where}. Send the complete series again.`,
      { missing, afterSlice: first.afterSlice, gapMm: first.gap, spacingMm: spacing },
    );
  }
  throw new UnsupportedSeriesError(
    "non-uniform-spacing",
    `The slices are not evenly spaced (${uneven.length} of ${gaps.length} gaps differ by more than 1 %): ${where}. Choose a series with even spacing.`,
    { uneven: uneven.length, afterSlice: first.afterSlice, gapMm: first.gap, spacingMm: spacing },
  );
}

/** Slices may keep their distance and still jump sideways. */
function refuseShiftedSlices(positions: readonly Vec3[], step: Vec3): void {
  const origin = positions[0]!;
  const tolerance = Math.max(SPACING_TOLERANCE * length(step), SAME_POSITION_MM);
  const along = scale(step, 1 / dot(step, step));
  for (let k = 1; k < positions.length; k++) {
    const offset = subtract(positions[k]!, origin);
    const onLine = scale(step, dot(offset, along));
    const sideways = length(subtract(offset, onLine));
    if (sideways <= tolerance) continue;
    throw new UnsupportedSeriesError(
      "non-uniform-spacing",
      `Slice ${k + 1} of ${positions.length} (from the lowest) lies ${sideways.toFixed(2)} mm sideways of the line through the others. Choose a series whose slices are stacked straight.`,
      { slice: k + 1, shiftMm: sideways },
    );
  }
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
