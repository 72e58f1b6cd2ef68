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

/** Weights that are handed out on request only, and that this user was not given. Trying again changes nothing. */
export class ModelAccessError extends DomainError {
  override readonly name = "ModelAccessError";
  readonly code = "model-unavailable";

  constructor(
    { repository, path }: { readonly repository: string; readonly path: string },
    hubUrl: string,
    hadToken: boolean,
  ) {
    const page = `${hubUrl}/${repository}`;
    super(
      [
        `${path} is handed out only to those who ask its makers, and ${hadToken ? "this token was refused" : "no token was given"}. To get it:`,
        `1. Sign in at ${page}, read the conditions, and ask for access.`,
        `2. When it is granted, make a token with read access at ${hubUrl}/settings/tokens.`,
        "3. Run: HF_TOKEN=TOKEN parse3d models pull medimageparse3d",
        `Or download the file in the browser, and run: parse3d models add ${path}`,
      ].join("\n"),
    );
  }
}
