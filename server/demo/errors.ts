import { DomainError } from "#converters/errors.ts";

/** Programs or files that a system package brings are not there; the message holds the command that installs them. */
export class MissingSystemPackagesError extends DomainError {
  override readonly name = "MissingSystemPackagesError";
  readonly code = "invalid-request";
  /** Their names in Debian and Ubuntu. */
  readonly packages: readonly string[];

  constructor(message: string, packages: readonly string[], options: ErrorOptions = {}) {
    super(message, options);
    this.packages = packages;
  }

  override get details() {
    return { packages: this.packages };
  }
}
