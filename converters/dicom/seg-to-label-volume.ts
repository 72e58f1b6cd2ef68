import { UnsupportedImageError } from "../errors.ts";
import type { Volume } from "../geometry/index.ts";
import type { DecodedSeg } from "./decoded-seg.ts";
import { type FrameWalk, frameWalk, refuseOtherFrameOfReference } from "./frame-walk.ts";
import { sliceOfFrame } from "./seg-grid.ts";
import { frameValues, memberPixels } from "./seg-pixels.ts";
import { geometryOf, type Slices, voxelPlaces } from "./voxel-places.ts";

export interface LabelVolume {
  /** 0 is background; each other value is a segment's number. */
  readonly volume: Volume<Uint8Array | Uint16Array>;
  readonly labels: readonly { readonly value: number; readonly name: string }[];
  /** What was lost on the way, in plain words. */
  readonly notes: readonly string[];
}

/**
 * The segments as one label map: on the grid that the frames span, or on that of the series that the SEG is of. Where segments
 * overlap the higher number wins (a lesion usually follows its organ), and a note says of how many voxels that is true.
 *
 * @param onto a grid, or slices that lie where their sources say, whose voxels the frames' pixels are, whichever way rows, columns
 * and slices run
 * @throws UnsupportedImageError "unsupported-dimensions" where the frames lie on no regular grid, or off the one that is given;
 * "too-large"
 */
export function segToLabelVolume(seg: DecodedSeg, onto?: Slices): LabelVolume {
  const { segments } = seg;
  const geometry = onto ? geometryOf(onto) : seg.geometry;
  if (geometry === undefined) {
    throw new UnsupportedImageError(
      "unsupported-dimensions",
      "The segmentation's frames are not equally spaced, so they are no regular volume. Use it with the series that it refers to.",
    );
  }
  const [ni, nj, nk] = geometry.size;
  if (ni * nj * nk > MOST_VOXELS) {
    throw new UnsupportedImageError(
      "too-large",
      `The segmentation spans ${ni} x ${nj} x ${nk} voxels, more than a label map may have here (${MOST_VOXELS}).`,
    );
  }
  const highest = Math.max(0, ...segments.map(({ number }) => number));
  const voxels = highest > 255 ? new Uint16Array(ni * nj * nk) : new Uint8Array(ni * nj * nk);
  const walkOf = walks(seg, onto);
  const { rows, columns } = seg.frameGeometry;
  let overlapping = 0;
  for (const { segmentNumber, index } of bySegment(seg)) {
    const walk = walkOf(index);
    if (segmentNumber === undefined) {
      putLabels(voxels, frameValues(seg.pixels, rows * columns, index), columns, walk, highest);
    } else {
      const members = memberPixels(seg.pixels, rows * columns, index, segmentNumber);
      overlapping += putSegment(voxels, members, columns, walk, segmentNumber);
    }
  }
  return {
    volume: { geometry, voxels, unit: "arbitrary", modality: "SEG", sources: [] },
    labels: segments.map(({ number, label }) => ({ value: number, name: label })),
    notes: [
      ...(overlapping === 0
        ? []
        : [`Segments overlap in ${overlapping} voxels; there the label map holds the highest segment number only.`]),
      ...(seg.type === "FRACTIONAL" ? ["Fractions of one half and more were taken for the segment."] : []),
    ],
  };
}

/** Labels beyond the highest segment are left out. */
function putLabels(
  voxels: Uint8Array | Uint16Array,
  labels: ArrayLike<number>,
  columns: number,
  { start, across, down }: FrameWalk,
  highest: number,
): void {
  for (let p = 0, y = start; p < labels.length; y += down) {
    for (let x = 0, n = y; x < columns; x++, p++, n += across) if (labels[p]! <= highest) voxels[n] = labels[p]!;
  }
}

/** @returns how many of the voxels were another segment's */
function putSegment(
  voxels: Uint8Array | Uint16Array,
  members: ArrayLike<number>,
  columns: number,
  { start, across, down }: FrameWalk,
  segmentNumber: number,
): number {
  let overlapping = 0;
  for (let p = 0, y = start; p < members.length; y += down) {
    for (let x = 0, n = y; x < columns; x++, p++, n += across) {
      if (!members[p]) continue;
      const before = voxels[n]!;
      if (before !== 0 && before !== segmentNumber) overlapping++;
      voxels[n] = segmentNumber;
    }
  }
  return overlapping;
}

/** How each frame lies on the label map. */
function walks(seg: DecodedSeg, onto: Slices | undefined): (index: number) => FrameWalk {
  const { geometry, frames, frameGeometry } = seg;
  if (onto !== undefined) {
    const { size } = geometryOf(onto);
    refuseOtherFrameOfReference(seg, geometryOf(onto));
    const placeOf = voxelPlaces(onto);
    return (index) => frameWalk(seg, index, placeOf, size);
  }
  const { rows, columns } = frameGeometry;
  return (index) => ({
    start: sliceOfFrame(geometry!, frames[index]!) * rows * columns,
    across: 1,
    down: columns,
  });
}

/** Frames may lie far apart: a small file must not ask for all memory. */
const MOST_VOXELS = 2 ** 31;

function bySegment({ frames }: DecodedSeg): readonly { readonly segmentNumber?: number; readonly index: number }[] {
  return frames
    .map(({ segmentNumber }, index) => (segmentNumber === undefined ? { index } : { segmentNumber, index }))
    .sort((a, b) => (a.segmentNumber ?? 0) - (b.segmentNumber ?? 0));
}
