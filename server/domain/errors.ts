import { DomainError } from "#converters/errors.ts";

export class SeriesNotFoundError extends DomainError {
  override readonly name = "SeriesNotFoundError";
  readonly code = "series-not-found";
}

/** The archive cannot be reached, refuses our credentials, or answers with something that is not DICOMweb. */
export class PacsUnavailableError extends DomainError {
  override readonly name = "PacsUnavailableError";
  readonly code = "pacs-unavailable";
  override readonly retryable: boolean;
  readonly status: number | undefined;

  constructor(
    message: string,
    { status, retryable = true, ...options }: ErrorOptions & { status?: number | undefined; retryable?: boolean } = {},
  ) {
    super(message, options);
    this.status = status;
    this.retryable = retryable;
  }

  override get details() {
    return this.status === undefined ? {} : { pacsStatus: this.status };
  }
}

export class PacsTimeoutError extends DomainError {
  override readonly name = "PacsTimeoutError";
  readonly code = "pacs-timeout";
  override readonly retryable = true;
}

/** The archive answered, and did not take the instance. */
export class StoreRejectedError extends DomainError {
  override readonly name = "StoreRejectedError";
  readonly code = "store-rejected";
  /** Failure Reason (0008,1197), PS3.4 table CC.2.3 and PS3.18 annex I. */
  readonly failureReason: number | undefined;

  constructor(
    message: string,
    { failureReason, ...options }: ErrorOptions & { failureReason?: number | undefined } = {},
  ) {
    super(message, options);
    this.failureReason = failureReason;
  }

  override get details() {
    return this.failureReason === undefined ? {} : { failureReason: this.failureReason };
  }
}

export class InvalidPromptError extends DomainError {
  override readonly name = "InvalidPromptError";
  readonly code = "invalid-prompt";
  /** What can be asked instead, best first. */
  readonly suggestions: readonly string[];

  constructor(message: string, suggestions: readonly string[] = [], options: ErrorOptions = {}) {
    super(message, options);
    this.suggestions = suggestions;
  }

  override get details() {
    return this.suggestions.length === 0 ? {} : { suggestions: this.suggestions };
  }
}

export class ModelNotFoundError extends DomainError {
  override readonly name = "ModelNotFoundError";
  readonly code = "model-not-found";
  /** Names of those that there are, where that is to be told. */
  readonly models: readonly string[];

  constructor(message: string, { models = [], ...options }: ErrorOptions & { models?: readonly string[] } = {}) {
    super(message, options);
    this.models = models;
  }

  override get details() {
    return this.models.length === 0 ? {} : { models: this.models };
  }
}

/** The model cannot run: its process died (retryable), or its files or this machine are not what it needs (not so). */
export class ModelUnavailableError extends DomainError {
  override readonly name = "ModelUnavailableError";
  readonly code = "model-unavailable";
  override readonly retryable: boolean;

  constructor(message: string, { retryable = true, ...options }: ErrorOptions & { retryable?: boolean } = {}) {
    super(message, options);
    this.retryable = retryable;
  }
}

/** The model needs more memory on the GPU than is free now. */
export class GpuOutOfMemoryError extends DomainError {
  override readonly name = "GpuOutOfMemoryError";
  readonly code = "gpu-out-of-memory";
  override readonly retryable = true;
}

export class InvalidRequestError extends DomainError {
  override readonly name = "InvalidRequestError";
  readonly code = "invalid-request";
}
