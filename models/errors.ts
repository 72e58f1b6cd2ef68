import { DomainError } from "#converters/errors.ts";

/** A model's files are missing, damaged, or not of a kind that can be run. Trying again changes nothing. */
export class ModelBundleError extends DomainError {
  override readonly name = "ModelBundleError";
  readonly code = "model-unavailable";
  /** The file or folder that is at fault, as its bundle or the user calls it. */
  readonly file: string;

  /** @param remedy what is wrong, and what to do; the message starts with the file's name. */
  constructor(file: string, remedy: string, options: ErrorOptions = {}) {
    super(`${file}: ${remedy}`, options);
    this.file = file;
  }

  override get details() {
    return { file: this.file };
  }
}

/** The weights of a model could not be fetched. */
export class ModelDownloadError extends DomainError {
  override readonly name = "ModelDownloadError";
  readonly code = "model-unavailable";
  override readonly retryable = true;
}
