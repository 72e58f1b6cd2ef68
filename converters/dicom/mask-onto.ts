import { UnsupportedImageError } from "../errors.ts";
import {
  add,
  invert,
  length,
  type Mat4,
  scale,
  subtract,
  transformPoint,
  type Vec3,
  type VolumeGeometry,
} from "../geometry/index.ts";
import { type BitVolume, createBitVolume } from "../mask/index.ts";
import { copyBits } from "./bit-copy.ts";
import type { DecodedSeg, DecodedSegFrame } from "./decoded-seg.ts";
import { memberPixels } from "./seg-pixels.ts";

/**
 * One segment as a mask on `geometry`. The frames' pixels must be voxels of that grid: the same centres, whichever way
 * rows, columns and slices run.
 *
 * @throws UnsupportedImageError "unsupported-dimensions" where a frame lies off the grid or in another frame of reference
 * @throws RangeError where there is no such segment
 */
export function maskOnto(seg: DecodedSeg, segmentNumber: number, geometry: VolumeGeometry): BitVolume {
  if (!seg.segments.some(({ number }) => number === segmentNumber)) {
    throw new RangeError(`the segmentation has no segment ${segmentNumber}`);
  }
  const theirs = seg.frameOfReferenceUid;
  if (theirs !== "" && geometry.frameOfReferenceUid !== "" && theirs !== geometry.frameOfReferenceUid) {
    throw offGrid("it is in another frame of reference");
  }
  const mask = createBitVolume(geometry.size);
  const lpsToIjk = invert(geometry.ijkToLps);
  const { rows, columns } = seg.frameGeometry;
  const filled = new Set<number>();
  for (let n = 0; n < seg.frames.length; n++) {
    const frame = seg.frames[n]!;
    if (frame.segmentNumber !== undefined && frame.segmentNumber !== segmentNumber) continue;
    const walk = walkOf(seg, frame, lpsToIjk, geometry.size, n);
    const wholeSlice = walk.across === 1 && walk.down === columns && columns === geometry.size[0];
    if (seg.type === "BINARY" && wholeSlice && rows === geometry.size[1] && !filled.has(walk.start)) {
      const { bytes, startBit } = seg.pixels.frame(n);
      copyBits(bytes, startBit, mask.bits, walk.start, rows * columns);
    } else {
      setPixels(mask.bits, memberPixels(seg.pixels, rows * columns, n, segmentNumber), columns, walk);
    }
    filled.add(walk.start);
  }
  return mask;
}

/** Voxel number of a frame's first pixel, and the steps to the next pixel of its row and of its column. */
interface Walk {
  readonly start: number;
  readonly across: number;
  readonly down: number;
}

/** Voxels that a pixel's centre may lie beside a voxel's. */
const OFF_GRID = 0.05;

function walkOf(seg: DecodedSeg, { positionLps }: DecodedSegFrame, lpsToIjk: Mat4, size: Vec3, n: number): Walk {
  const { rows, columns, pixelSpacing, orientation } = seg.frameGeometry;
  const across = scale(orientation[0], pixelSpacing[1] * (columns - 1));
  const down = scale(orientation[1], pixelSpacing[0] * (rows - 1));
  const first = transformPoint(lpsToIjk, positionLps);
  const rowEnd = transformPoint(lpsToIjk, add(positionLps, across));
  const columnEnd = transformPoint(lpsToIjk, add(positionLps, down));
  for (const corner of [first, rowEnd, columnEnd]) {
    const nearest = rounded(corner);
    if (!(length(subtract(corner, nearest)) <= OFF_GRID)) {
      throw offGrid(`frame ${n + 1} lies between its voxels, or is sampled differently`);
    }
    if (nearest.some((index, axis) => index < 0 || index >= size[axis]!)) {
      throw offGrid(`frame ${n + 1} lies outside of it`);
    }
  }
  const number = ([i, j, k]: Vec3) => (k * size[1] + j) * size[0] + i;
  const start = number(rounded(first));
  const acrossStep = columns > 1 ? (number(rounded(rowEnd)) - start) / (columns - 1) : 1;
  const downStep = rows > 1 ? (number(rounded(columnEnd)) - start) / (rows - 1) : columns;
  if (!Number.isInteger(acrossStep) || !Number.isInteger(downStep)) {
    throw offGrid(`frame ${n + 1} is sampled differently`);
  }
  return { start, across: acrossStep, down: downStep };
}

function setPixels(bits: Uint8Array, members: ArrayLike<number>, columns: number, { start, across, down }: Walk): void {
  for (let p = 0, y = start; p < members.length; y += down) {
    for (let x = 0, n = y; x < columns; x++, p++, n += across) {
      if (members[p]) bits[Math.floor(n / 8)]! |= 1 << (n & 7);
    }
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
