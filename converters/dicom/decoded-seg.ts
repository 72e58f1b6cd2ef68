import type { Vec3, VolumeGeometry } from "../geometry/index.ts";
import type { DecodedSegment } from "./read-segments.ts";
import type { SegPixels } from "./seg-pixels.ts";

export interface DecodedSegFrame {
  /** Absent where pixels are labels (LABELMAP): there each pixel names its segment. */
  readonly segmentNumber?: number;
  /** Centre of the first pixel, mm in LPS. */
  readonly positionLps: Vec3;
  readonly dimensionIndexValues: readonly number[];
  readonly sourceSopInstanceUid?: string;
  /** Counted from 1. */
  readonly sourceFrame?: number;
}

/** How every frame's pixels lie in the patient, but for the position. */
export interface SegFrameGeometry {
  readonly rows: number;
  readonly columns: number;
  /** mm between rows, then between columns. */
  readonly pixelSpacing: readonly [number, number];
  /** Row direction, then column direction: cosines in LPS. */
  readonly orientation: readonly [Vec3, Vec3];
}

export interface DecodedSeg {
  readonly sopInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly frameOfReferenceUid: string;
  readonly referencedSeriesInstanceUid?: string;
  /** Every instance that the object says it was made from. */
  readonly referencedSopInstanceUids: readonly string[];
  /** The segmentation that it was made of: somebody edited that one, or it was cut again. */
  readonly revisionOf?: string;
  readonly type: "BINARY" | "FRACTIONAL" | "LABELMAP";
  readonly segments: readonly DecodedSegment[];
  readonly frames: readonly DecodedSegFrame[];
  readonly frameGeometry: SegFrameGeometry;
  /** The regular grid that the frames lie on; absent where they lie on none. */
  readonly geometry?: VolumeGeometry;
  readonly pixels: SegPixels;
  /**
   * One number a pixel, row by row: 0 or 1 (BINARY), 0 up to `pixels.highest` (FRACTIONAL), a segment's number (LABELMAP).
   * @throws RangeError for a label map of 16 bits: segToLabelVolume and maskOnto read it
   */
  framePixels(index: number): Uint8Array;
}
