import { DomainError } from "#converters/errors.ts";

/** Orthanc, or its DICOMweb plugin, is not on this machine. */
export class OrthancNotInstalledError extends DomainError {
  override readonly name = "OrthancNotInstalledError";
  readonly code = "pacs-unavailable";
}

/** Orthanc is installed, and does not come up. */
export class OrthancStartError extends DomainError {
  override readonly name = "OrthancStartError";
  readonly code = "pacs-unavailable";
}
