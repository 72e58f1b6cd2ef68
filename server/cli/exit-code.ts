import { DomainError, type ErrorCode } from "#converters/errors.ts";
import { ConfigError } from "../config-error.ts";

/** What the exit code of `parse3d` says; listed by `parse3d --help`. */
export const exitCodes = {
  ok: 0,
  internal: 1,
  usage: 2,
  notFound: 3,
  refused: 4,
  archive: 5,
  model: 6,
  interrupted: 130,
} as const;

const byErrorCode: Readonly<Record<ErrorCode, number>> = {
  "invalid-request": exitCodes.usage,
  unauthenticated: exitCodes.archive,
  forbidden: exitCodes.archive,
  "series-not-found": exitCodes.notFound,
  "job-not-found": exitCodes.notFound,
  "rule-not-found": exitCodes.notFound,
  "job-conflict": exitCodes.refused,
  "job-cancelled": exitCodes.interrupted,
  "invalid-prompt": exitCodes.refused,
  "unsupported-series": exitCodes.refused,
  "unsupported-image": exitCodes.refused,
  "payload-too-large": exitCodes.refused,
  "rate-limited": exitCodes.archive,
  "pacs-unavailable": exitCodes.archive,
  "pacs-timeout": exitCodes.archive,
  "store-rejected": exitCodes.archive,
  "model-not-found": exitCodes.notFound,
  "model-unavailable": exitCodes.model,
  "gpu-out-of-memory": exitCodes.model,
  "database-unavailable": exitCodes.archive,
  "job-timeout": exitCodes.model,
  "storage-full": exitCodes.refused,
  internal: exitCodes.internal,
};

export function exitCodeOf(error: unknown): number {
  if (error instanceof DomainError) return byErrorCode[error.code];
  if (error instanceof ConfigError) return exitCodes.usage;
  if (error instanceof Error && error.name === "AbortError") return exitCodes.interrupted;
  return exitCodes.internal;
}

export const exitCodeHelp = `
Exit codes: 0 done; 1 internal error; 2 wrong usage; 3 series, model, job or rule not found; 4 refused (series, image or prompt
cannot be used: the message says why); 5 the archive failed or refused; 6 the model cannot run; 130 interrupted.`;
