import { UnsupportedImageError } from "../errors.ts";
import type { Volume } from "../geometry/index.ts";
import type { DecodedSeg } from "./decoded-seg.ts";
import { sliceOfFrame } from "./seg-grid.ts";
import { frameValues, memberPixels } from "./seg-pixels.ts";

export interface LabelVolume {
  /** 0 is background; each other value is a segment's number. */
  readonly volume: Volume<Uint8Array | Uint16Array>;
  readonly labels: readonly { readonly value: number; readonly name: string }[];
  /** What was lost on the way, in plain words. */
  readonly notes: readonly string[];
}

/**
 * The segments as one label map on the grid that the frames span. Where segments overlap the higher number wins (a
 * lesion usually follows its organ), and a note says of how many voxels that is true.
 *
 * @throws UnsupportedImageError "unsupported-dimensions" where the frames lie on no regular grid; "too-large"
 */
export function segToLabelVolume(seg: DecodedSeg): LabelVolume {
  const { geometry, segments, frames } = seg;
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
  let overlapping = 0;
  for (const { segmentNumber, index } of bySegment(seg)) {
    const start = sliceOfFrame(geometry, frames[index]!) * ni * nj;
    if (segmentNumber === undefined) {
      const labels = frameValues(seg.pixels, ni * nj, index);
      for (let p = 0; p < labels.length; p++) if (labels[p]! <= highest) voxels[start + p] = labels[p]!;
      continue;
    }
    const members = memberPixels(seg.pixels, ni * nj, index, segmentNumber);
    for (let p = 0; p < members.length; p++) {
      if (!members[p]) continue;
      const before = voxels[start + p]!;
      if (before !== 0 && before !== segmentNumber) overlapping++;
      voxels[start + p] = segmentNumber;
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

/** Frames may lie far apart: a small file must not ask for all memory. */
const MOST_VOXELS = 2 ** 31;

function bySegment({ frames }: DecodedSeg): readonly { readonly segmentNumber?: number; readonly index: number }[] {
  return frames
    .map(({ segmentNumber }, index) => (segmentNumber === undefined ? { index } : { segmentNumber, index }))
    .sort((a, b) => (a.segmentNumber ?? 0) - (b.segmentNumber ?? 0));
}
