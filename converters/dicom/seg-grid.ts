import {
  add,
  cross,
  dot,
  fromColumns,
  length,
  normalize,
  scale,
  subtract,
  type Vec3,
  type VolumeGeometry,
} from "../geometry/index.ts";
import type { DecodedSegFrame, SegFrameGeometry } from "./decoded-seg.ts";

/** Positions nearer than this part of a pixel, or of a slice, are one position. */
const SAME_POSITION = 0.02;

/**
 * The regular grid that the frames of a SEG span: slice 0 is the lowest along the normal, slices between frames that
 * were left out are there. Undefined where positions are not equally spaced, or shift against each other.
 */
export function gridOfFrames(
  frames: readonly DecodedSegFrame[],
  { rows, columns, pixelSpacing, orientation }: SegFrameGeometry,
  frameOfReferenceUid: string,
  spacing: { readonly between?: number; readonly thickness?: number },
): VolumeGeometry | undefined {
  const [row, down] = orientation;
  const normal = normalize(cross(row, down));
  const heights = frames.map(({ positionLps }) => dot(positionLps, normal));
  const lowest = heights.reduce((best, height, n) => (height < heights[best]! ? n : best), 0);
  const origin = frames[lowest]!.positionLps;
  const inPlane = SAME_POSITION * Math.min(...pixelSpacing);
  for (let n = 0; n < frames.length; n++) {
    const off = subtract(frames[n]!.positionLps, add(origin, scale(normal, heights[n]! - heights[lowest]!)));
    if (!(length(off) <= inPlane)) return undefined;
  }
  const tolerance = Math.min(inPlane, SAME_POSITION * (spacing.between ?? spacing.thickness ?? Infinity));
  const levels = distinct(heights, tolerance);
  const step = stepOf(levels, spacing, tolerance);
  if (step === undefined) return undefined;
  const slices = Math.round((levels.at(-1)! - levels[0]!) / step) + 1;
  return {
    size: [columns, rows, slices],
    ijkToLps: fromColumns(scale(row, pixelSpacing[1]), scale(down, pixelSpacing[0]), scale(normal, step), origin),
    frameOfReferenceUid,
  };
}

/** The slice of each frame on the grid that `gridOfFrames` found. */
export function sliceOfFrame({ ijkToLps }: VolumeGeometry, { positionLps }: DecodedSegFrame): number {
  const step: Vec3 = [ijkToLps[2], ijkToLps[6], ijkToLps[10]];
  const origin: Vec3 = [ijkToLps[3], ijkToLps[7], ijkToLps[11]];
  return Math.round(dot(subtract(positionLps, origin), step) / dot(step, step));
}

function distinct(values: readonly number[], tolerance: number): readonly number[] {
  const kept: number[] = [];
  for (const value of values.toSorted((a, b) => a - b)) {
    const last = kept.at(-1);
    if (last === undefined || value - last > tolerance) kept.push(value);
  }
  return kept;
}

/** The spacing that the object states where the positions bear it out; otherwise the smallest gap where all are multiples. */
function stepOf(
  levels: readonly number[],
  { between, thickness }: { readonly between?: number; readonly thickness?: number },
  tolerance: number,
): number | undefined {
  if (levels.length === 1) return between ?? thickness;
  const gaps = levels.slice(1).map((level, n) => level - levels[n]!);
  return [between, Math.min(...gaps)].find(
    (step) => step !== undefined && gaps.every((gap) => isMultiple(gap, step, tolerance)),
  );
}

function isMultiple(gap: number, step: number, tolerance: number): boolean {
  const times = Math.round(gap / step);
  return times >= 1 && Math.abs(gap - times * step) <= Math.max(tolerance, 0.01 * step);
}
