export {
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
