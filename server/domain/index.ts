export { type AnswerBasis, nameOfInstances, presentEdition } from "./answer-basis.ts";
export type { AnsweringModel } from "./answering-model.ts";
export { cutAgain } from "./cut-again.ts";
export { type EditedMask, type EditRequest, type EditResult, editSeries, type StoredResults } from "./edit-series.ts";
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
export type { KeptAnswer, KeptNotice, KeptPrompt } from "./kept-answer.ts";
export { maskOfRuns, runsOf } from "./mask-runs.ts";
export { type PictureRequest, pictureOfResult } from "./picture-of-result.ts";
export type {
  ArchiveContents,
  MergeMode,
  ModelRegistry,
  NiftiFile,
  NiftiFolder,
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
export { type PreviewFeed, type PreviewSlice, previewFeed } from "./preview-feed.ts";
export type { Prompt } from "./prompt.ts";
export { longestPrompt, mostPrompts, promptsFrom } from "./prompt.ts";
export { type Provenance, readProvenance } from "./provenance.ts";
export {
  checkQuestion,
  mergeOf,
  type Output,
  outputsOf,
  type Question,
  type SegmentationType,
  type SeriesQuestion,
} from "./question.ts";
export { keepRecentSeries, type RecentSeries } from "./recent-series.ts";
export { type RecutRequest, recutSeries } from "./recut-series.ts";
export { type SegmentImageRequest, type SegmentImageResult, segmentImage } from "./segment-image.ts";
export {
  type SegmentRun,
  type SegmentSeriesRequest,
  type SegmentSeriesResult,
  segmentSeries,
} from "./segment-series.ts";
export { segmentVolume } from "./segment-volume.ts";
export type { StoredFile } from "./store-nifti.ts";
export { PartlyStoredError, type StoredObject, type StoredObjects } from "./store-results.ts";
