import { UnsupportedImageError } from "../errors.ts";
import { add, length, scale, subtract, type Vec3, type VolumeGeometry } from "../geometry/index.ts";
import type { DecodedSeg } from "./decoded-seg.ts";

/** Voxel number of a frame's first pixel, and the steps to the next pixel of its row and of its column. */
export interface FrameWalk {
  readonly start: number;
  readonly across: number;
  readonly down: number;
}

/** Voxels that a pixel's centre may lie beside a voxel's. */
const OFF_GRID = 0.05;

/**
 * How frame `n` of a SEG, counted from 0, lies on a grid whose voxels its pixels are.
 * @param placeOf from mm in LPS to voxels: see voxelPlaces
 * @throws UnsupportedImageError "unsupported-dimensions" where they are not
 */
export function frameWalk(seg: DecodedSeg, n: number, placeOf: (lps: Vec3) => Vec3, size: Vec3): FrameWalk {
  const { positionLps } = seg.frames[n]!;
  const { rows, columns, pixelSpacing, orientation } = seg.frameGeometry;
  const across = scale(orientation[0], pixelSpacing[1] * (columns - 1));
  const down = scale(orientation[1], pixelSpacing[0] * (rows - 1));
  const first = placeOf(positionLps);
  const rowEnd = placeOf(add(positionLps, across));
  const columnEnd = placeOf(add(positionLps, down));
  for (const corner of [first, rowEnd, columnEnd]) {
    const nearest = rounded(corner);
    if (!(length(subtract(corner, nearest)) <= OFF_GRID)) {
      throw offGrid(`frame ${n + 1} lies between its voxels, or is sampled differently`);
    }
    if (nearest.some((index, axis) => index < 0 || index >= size[axis]!)) {
      throw offGrid(`frame ${n + 1} lies outside of it`);
    }
  }
  // A frame of every second voxel would leave holes between its pixels, and one across the grid's diagonal as well.
  if (!isRun(first, rowEnd, columns) || !isRun(first, columnEnd, rows)) {
    throw offGrid(`frame ${n + 1} is sampled differently`);
  }
  const number = ([i, j, k]: Vec3) => (k * size[1] + j) * size[0] + i;
  const start = number(rounded(first));
  const acrossStep = columns > 1 ? (number(rounded(rowEnd)) - start) / (columns - 1) : 1;
  const downStep = rows > 1 ? (number(rounded(columnEnd)) - start) / (rows - 1) : columns;
  return { start, across: acrossStep, down: downStep };
}

/** Whether from the one place to the other it is so many voxels, one beside the other. */
function isRun(from: Vec3, to: Vec3, voxels: number): boolean {
  const steps = subtract(rounded(to), rounded(from)).filter((step) => step !== 0);
  return voxels === 1 || (steps.length === 1 && Math.abs(steps[0]!) === voxels - 1);
}

/** @throws UnsupportedImageError "unsupported-dimensions" where both say in which frame of reference they are, and it is not one */
export function refuseOtherFrameOfReference(seg: DecodedSeg, { frameOfReferenceUid }: VolumeGeometry): void {
  const theirs = seg.frameOfReferenceUid;
  if (theirs !== "" && frameOfReferenceUid !== "" && theirs !== frameOfReferenceUid) {
    throw offGrid("it is in another frame of reference");
  }
}

function rounded([i, j, k]: Vec3): Vec3 {
  return [Math.round(i), Math.round(j), Math.round(k)];
}

function offGrid(what: string): UnsupportedImageError {
  return new UnsupportedImageError(
    "unsupported-dimensions",
    `The segmentation is not on the image's voxels: ${what}. Use the series that it was made on, or resample it first.`,
  );
}
