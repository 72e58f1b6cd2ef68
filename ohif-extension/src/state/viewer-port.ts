import type { JobEvent } from "#server/contract/index.ts";
import type { ActiveSeries } from "./panel-state.ts";

export interface StoredSeg {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
}

/** One prompt's mask on one slice, as the server's event tells it. */
export type FinishedSlice = Omit<Extract<JobEvent, { readonly type: "preview" }>, "type" | "id" | "at">;

/** A labelmap in the viewports that is drawn while its job runs. */
export interface Drawing {
  /** Slices of another shape than that of the images are left out. */
  draw(slice: FinishedSlice): void;
  /** Takes it out of the viewer. */
  remove(): void;
}

/** A volume's slices, counted along its normal. */
export interface VolumeShape {
  readonly columns: number;
  readonly rows: number;
  readonly slices: number;
}

/** Labels of one slice, row by row: 0 outside, else a segment's number. @returns whether any was changed */
export type ChangeLabels = (sliceIndex: number, labels: Uint8Array) => boolean;

/** A segment's slices with at least one voxel, as run lengths: outside, inside and so on in turn. */
export interface SegmentRuns {
  readonly segmentNumber: number;
  readonly slices: readonly { readonly sliceIndex: number; readonly runs: readonly number[] }[];
}

/** What the session wants of the viewer. */
export interface ViewerPort {
  activeSeries(): ActiveSeries | undefined;
  /** Counted from 0 along the normal; undefined where no slice of the series is in view. */
  sliceInView(): number | undefined;
  /** @returns ends the subscription */
  onSeriesChange(listener: () => void): () => void;
  /** Puts a stored SEG into every viewport that shows its series. @returns what the viewer knows it by */
  showSeg(seg: StoredSeg, signal: AbortSignal): Promise<string>;
  hideSeg(segmentationId: string): void;
  /** @returns undefined where the viewer cannot draw on this series */
  openDrawing(
    series: Pick<ActiveSeries, "seriesInstanceUid">,
    prompts: readonly { readonly id: string; readonly text: string }[],
  ): Promise<Drawing | undefined>;
  /**
   * Changes the labels of a shown segmentation, the slice in view first, in pieces between which the viewer lives on.
   * @returns false where it does not lie on a volume of this shape
   * @throws the signal's reason
   */
  relabel(segmentationId: string, shape: VolumeShape, change: ChangeLabels, signal: AbortSignal): Promise<boolean>;
  /** The labels of a shown segmentation as they are now; undefined where it is not shown, or its segments overlap. */
  segmentRuns(segmentationId: string, segmentNumbers: readonly number[]): readonly SegmentRuns[] | undefined;
  /** Moves all viewports that show the series to a point, mm in LPS. */
  jumpTo(series: Pick<ActiveSeries, "seriesInstanceUid">, pointLps: readonly [number, number, number]): void;
  notify(message: string, kind: "success" | "error"): void;
}
