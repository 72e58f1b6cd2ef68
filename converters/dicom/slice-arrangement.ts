import { UnsupportedSeriesError } from "../errors.ts";
import { add, dot, fromColumns, type Mat4, scale, subtract, type Vec3 } from "../geometry/index.ts";
import { orderSlices, type SliceOrder, type SlicePlane } from "./slice-order.ts";
import { type Irregularity, irregularity, meanStep, usualGap } from "./slice-regularity.ts";

/** Where the slices of a volume lie, and on which regular grid its voxels will. */
export interface SliceArrangement {
  /** Indices of the planes, from the lowest along the normal to the highest. */
  readonly order: readonly number[];
  readonly size: Vec3;
  readonly ijkToLps: Mat4;
  /** How the slices lie on the grid where they are not its own planes of constant k. */
  readonly uneven?: UnevenSlices;
}

/** Parallel slices, in order, beside the regular grid that they are to be put on. */
export interface UnevenSlices {
  /** Where each slice lies along the grid's k axis. */
  readonly levels: readonly number[];
  /** Where each slice's first pixel lies along the grid's i and j axes. */
  readonly corners: readonly (readonly [i: number, j: number])[];
  /** Columns and rows of each slice. */
  readonly sliceSize: readonly [columns: number, rows: number];
  /** Why they are not a regular grid. */
  readonly fault: Irregularity;
}

/** The option as the command line and the API call it. */
const RESAMPLE = 'have it put onto a regular grid (--resample; over HTTP "resample": true)';

/** A grid may have this many times the voxels that its slices have. */
const MAX_GROWTH = 8;

/**
 * Orders slices by their position along the normal and finds their regular grid; the order they come in does not matter.
 * With `resample`, slices that are none get one whose slices are the usual gap apart, straight along the normal, and as wide
 * as it takes to hold all of them.
 *
 * @throws UnsupportedSeriesError with the reason, the slices (numbered from 1, the lowest) and the figures in mm.
 */
export function arrangeSlices(planes: readonly SlicePlane[], resample: boolean): SliceArrangement {
  const ordered = orderSlices(planes);
  const fault = irregularity(planes, ordered);
  if (fault === undefined) return regular(planes, ordered);
  if (resample) return evenedOut(planes, ordered, fault);
  const { reason, problem, advice, figures } = fault;
  throw new UnsupportedSeriesError(reason, `${problem}. ${advice}, or ${RESAMPLE}.`, figures);
}

function regular(planes: readonly SlicePlane[], { order }: SliceOrder): SliceArrangement {
  const lowest = planes[order[0]!]!;
  return {
    order,
    size: [lowest.columns, lowest.rows, planes.length],
    ijkToLps: fromColumns(
      scale(lowest.rowDirection, lowest.betweenColumns),
      scale(lowest.columnDirection, lowest.betweenRows),
      meanStep(order.map((n) => planes[n]!.positionLps)),
      lowest.positionLps,
    ),
  };
}

function evenedOut(
  planes: readonly SlicePlane[],
  { order, heights }: SliceOrder,
  fault: Irregularity,
): SliceArrangement {
  const lowest = planes[order[0]!]!;
  const { columns, rows, normal, rowDirection, columnDirection, betweenColumns, betweenRows } = lowest;
  const bottom = heights[0]!;
  const total = heights.at(-1)! - bottom;
  const gaps = heights.slice(1).map((height, n) => height - heights[n]!);
  const steps = Math.max(1, Math.round(total / usualGap(gaps)));
  const offsets = order.map((n) => {
    const offset = subtract(planes[n]!.positionLps, lowest.positionLps);
    return [dot(offset, rowDirection) / betweenColumns, dot(offset, columnDirection) / betweenRows] as const;
  });
  const [left, right] = span(offsets.map(([i]) => i));
  const [top, below] = span(offsets.map(([, j]) => j));
  const size: Vec3 = [columns + right - left, rows + below - top, steps + 1];
  if (size[0] * size[1] * size[2] > MAX_GROWTH * columns * rows * planes.length) {
    throw new UnsupportedSeriesError(
      "too-large",
      `On a regular grid the series would have ${size.join("x")} voxels, more than ${MAX_GROWTH} times its own. Choose another series.`,
    );
  }
  const [i, j] = [scale(rowDirection, betweenColumns), scale(columnDirection, betweenRows)];
  const origin = add(lowest.positionLps, add(scale(i, left), scale(j, top)));
  return {
    order,
    size,
    ijkToLps: fromColumns(i, j, scale(normal, total / steps), origin),
    uneven: {
      levels: heights.map((height) => ((height - bottom) / total) * steps),
      corners: offsets.map(([across, down]) => [across - left, down - top]),
      sliceSize: [columns, rows],
      fault,
    },
  };
}

/** Offsets smaller than this part of a pixel are rounding. */
const PIXEL_TOLERANCE = 0.01;

/** The whole pixels that offsets reach to either side. */
function span(offsets: readonly number[]): readonly [lowest: number, highest: number] {
  let [lowest, highest] = [0, 0];
  for (const offset of offsets) {
    lowest = Math.min(lowest, Math.floor(offset + PIXEL_TOLERANCE));
    highest = Math.max(highest, Math.ceil(offset - PIXEL_TOLERANCE));
  }
  return [lowest, highest];
}
