/**
 * Every failure that a caller can act on is one of these. `code` is part of the API: it becomes the problem type
 * (RFC 9457) over HTTP and the exit code of the command line. A message says what is wrong and what to do next;
 * it never holds patient data.
 */
export type ErrorCode =
  | "invalid-request"
  | "unauthenticated"
  | "forbidden"
  | "series-not-found"
  | "job-not-found"
  | "rule-not-found"
  | "job-conflict"
  | "job-cancelled"
  | "invalid-prompt"
  | "unsupported-series"
  | "unsupported-image"
  | "payload-too-large"
  | "rate-limited"
  | "pacs-unavailable"
  | "pacs-timeout"
  | "store-rejected"
  | "model-not-found"
  | "model-unavailable"
  | "gpu-out-of-memory"
  | "database-unavailable"
  | "job-timeout"
  | "storage-full"
  | "internal";

export abstract class DomainError extends Error {
  abstract readonly code: ErrorCode;
  /** True where the same request may succeed later, unchanged. */
  readonly retryable: boolean = false;
  /** Facts that a program may act on (counts, indices, measured figures). No patient data, no UIDs. */
  get details(): Readonly<Record<string, unknown>> {
    return {};
  }
}

export type SeriesFault =
  | "empty-series"
  | "unreadable-instance"
  | "missing-identifiers"
  | "mixed-series"
  | "mixed-patients"
  | "non-image-object"
  | "unsupported-object"
  | "unsupported-transfer-syntax"
  | "unsupported-photometric"
  | "missing-geometry"
  | "mixed-size"
  | "mixed-orientation"
  | "duplicate-position"
  | "several-volumes"
  | "single-position"
  | "too-few-slices"
  | "missing-slice"
  | "non-uniform-spacing"
  | "gantry-tilt"
  | "multiple-frames-of-reference"
  | "too-large"
  | "corrupt-pixel-data"
  | "wrong-modality";

/** The series was read, but it is not one regularly sampled volume of a kind that can be segmented. */
export class UnsupportedSeriesError extends DomainError {
  override readonly name = "UnsupportedSeriesError";
  readonly code = "unsupported-series";
  readonly reason: SeriesFault;
  readonly #figures: Readonly<Record<string, unknown>>;

  /** @param explanation what is wrong, where (slice numbers counted from 1, mm), and what the user can do. */
  constructor(
    reason: SeriesFault,
    explanation: string,
    figures: Readonly<Record<string, unknown>> = {},
    options: ErrorOptions = {},
  ) {
    super(explanation, options);
    this.reason = reason;
    this.#figures = figures;
  }

  override get details() {
    return { reason: this.reason, ...this.#figures };
  }
}

export type ImageFault =
  | "not-nifti"
  | "truncated"
  | "too-large"
  | "unsupported-datatype"
  | "unsupported-dimensions"
  | "invalid-header"
  | "corrupt-gzip"
  | "not-dicom"
  | "not-a-segmentation";

/** The bytes are not an image file that can be read, or not one of a supported kind. */
export class UnsupportedImageError extends DomainError {
  override readonly name = "UnsupportedImageError";
  readonly code = "unsupported-image";
  readonly reason: ImageFault;

  constructor(reason: ImageFault, explanation: string, options: ErrorOptions = {}) {
    super(explanation, options);
    this.reason = reason;
  }

  override get details() {
    return { reason: this.reason };
  }
}
