export {
  GpuOutOfMemoryError,
  InvalidPromptError,
  InvalidRequestError,
  ModelNotFoundError,
  ModelUnavailableError,
  PacsTimeoutError,
  PacsUnavailableError,
  SeriesNotFoundError,
  StoreRejectedError,
} from "./errors.ts";
export type { BoxLps, Finding, FindingComponent } from "./finding.ts";
export { deterministicUid, jobKey } from "./job-key.ts";
export type {
  MergeMode,
  ModelRegistry,
  Ports,
  ResultSink,
  Run,
  SegmentationModel,
  SegmentOptions,
  SeriesDescription,
  SeriesRef,
  SeriesSource,
  SliceResult,
  Stage,
  StoredInstance,
} from "./ports.ts";
export type { Prompt } from "./prompt.ts";
export { longestPrompt, mostPrompts, promptsFrom } from "./prompt.ts";
export { type SegmentImageRequest, type SegmentImageResult, segmentImage } from "./segment-image.ts";
export {
  type AnsweringModel,
  type SegmentRun,
  type SegmentSeriesRequest,
  type SegmentSeriesResult,
  segmentSeries,
} from "./segment-series.ts";
export type { StoredSeg } from "./store-seg.ts";
