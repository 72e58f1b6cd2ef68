import type { SeriesFault } from "../errors.ts";
import { dot, length, scale, subtract, type Vec3 } from "../geometry/index.ts";
import { SAME_POSITION_MM, type SliceOrder, type SlicePlane } from "./slice-order.ts";

/** Why ordered slices are not one regular grid. */
export interface Irregularity {
  readonly reason: SeriesFault;
  /** What is wrong and where, slices numbered from 1, the lowest; a sentence without its full stop. */
  readonly problem: string;
  /** What the user can do; likewise. */
  readonly advice: string;
  /** In mm and degrees. */
  readonly figures: Readonly<Record<string, number>>;
}

/** How far a gap, or a slice sideways, may be from regular: this part of the spacing, but never less than rounding. */
const SPACING_TOLERANCE = 0.01;
const ROUNDING_MM = 0.001;
/** Sine of the largest angle between the stack's step and its normal: 0.3 degrees. */
const TILT_TOLERANCE = 0.005;

/** What keeps ordered slices from being one regular grid; undefined where they are one. */
export function irregularity(planes: readonly SlicePlane[], { order, heights }: SliceOrder): Irregularity | undefined {
  const positions = order.map((n) => planes[n]!.positionLps);
  const step = meanStep(positions);
  return tilt(step, planes[order[0]!]!.normal) ?? unevenGaps(heights) ?? shiftedSlice(positions, step);
}

/** From slice to slice, on average: both end slices lie where they say. */
export function meanStep(positions: readonly Vec3[]): Vec3 {
  return scale(subtract(positions.at(-1)!, positions[0]!), 1 / (positions.length - 1));
}

function tilt(step: Vec3, normal: Vec3): Irregularity | undefined {
  const sideways = length(subtract(step, scale(normal, dot(step, normal))));
  if (sideways <= TILT_TOLERANCE * length(step)) return undefined;
  const degrees = (Math.asin(sideways / length(step)) * 180) / Math.PI;
  return {
    reason: "gantry-tilt",
    problem: `The slices are stacked at ${degrees.toFixed(1)} degrees to their normal (gantry tilt): each lies ${sideways.toFixed(2)} mm sideways of the one below it`,
    advice: "Choose a reconstruction without tilt",
    figures: { degrees, shiftMm: sideways },
  };
}

/** @param heights positions along the normal, ascending and distinct. */
function unevenGaps(heights: readonly number[]): Irregularity | undefined {
  const gaps = heights.slice(1).map((height, n) => height - heights[n]!);
  const spacing = usualGap(gaps);
  const tolerance = Math.max(SPACING_TOLERANCE * spacing, ROUNDING_MM);
  const uneven = gaps.flatMap((gap, n) => (Math.abs(gap - spacing) > tolerance ? [{ gap, afterSlice: n + 1 }] : []));
  const [first] = uneven;
  if (first === undefined) return undefined;
  const slicesInGap = (gap: number) => Math.round(gap / spacing) - 1;
  const holes = uneven.every(
    ({ gap }) =>
      slicesInGap(gap) > 0 && Math.abs(gap - (slicesInGap(gap) + 1) * spacing) <= tolerance * (slicesInGap(gap) + 1),
  );
  const where = `after slice ${first.afterSlice} of ${heights.length} (from the lowest) the next one is ${first.gap.toFixed(2)} mm away, where ${spacing.toFixed(2)} mm is usual`;
  if (holes) {
    const missing = uneven.reduce((sum, { gap }) => sum + slicesInGap(gap), 0);
    return {
      reason: "missing-slice",
      problem: `${missing === 1 ? "A slice is missing" : `${missing} slices are missing`}: ${where}`,
      advice: "Send the complete series again",
      figures: { missing, afterSlice: first.afterSlice, gapMm: first.gap, spacingMm: spacing },
    };
  }
  return {
    reason: "non-uniform-spacing",
    problem: `The slices are not evenly spaced (${uneven.length} of ${gaps.length} gaps differ by more than 1 %): ${where}`,
    advice: "Choose a series with even spacing",
    figures: { uneven: uneven.length, afterSlice: first.afterSlice, gapMm: first.gap, spacingMm: spacing },
  };
}

/** The median; the smaller one of two. */
export function usualGap(gaps: readonly number[]): number {
  return gaps.toSorted((a, b) => a - b)[(gaps.length - 1) >> 1]!;
}

/** Slices may keep their distance and still jump sideways. */
function shiftedSlice(positions: readonly Vec3[], step: Vec3): Irregularity | undefined {
  const origin = positions[0]!;
  const tolerance = Math.max(SPACING_TOLERANCE * length(step), SAME_POSITION_MM);
  const along = scale(step, 1 / dot(step, step));
  for (let k = 1; k < positions.length; k++) {
    const offset = subtract(positions[k]!, origin);
    const onLine = scale(step, dot(offset, along));
    const sideways = length(subtract(offset, onLine));
    if (sideways <= tolerance) continue;
    return {
      reason: "non-uniform-spacing",
      problem: `Slice ${k + 1} of ${positions.length} (from the lowest) lies ${sideways.toFixed(2)} mm sideways of the line through the others`,
      advice: "Choose a series whose slices are stacked straight",
      figures: { slice: k + 1, shiftMm: sideways },
    };
  }
  return undefined;
}
