import { DomainError } from "#converters/errors.ts";
import type { Problem, ProblemCode } from "#server/contract/index.ts";
import { type Failure, toFailure } from "#server/jobs/index.ts";
import { HttpError } from "./http-error.ts";

/** The status of each kind of problem. */
export const statusOf: Readonly<Record<ProblemCode, number>> = {
  "invalid-request": 400,
  unauthenticated: 401,
  forbidden: 403,
  "not-found": 404,
  "series-not-found": 404,
  "job-not-found": 404,
  "rule-not-found": 404,
  "method-not-allowed": 405,
  "job-conflict": 409,
  "job-cancelled": 409,
  "payload-too-large": 413,
  "unsupported-media-type": 415,
  "invalid-prompt": 422,
  "unsupported-series": 422,
  "unsupported-image": 422,
  "model-not-found": 422,
  "rate-limited": 429,
  internal: 500,
  "pacs-unavailable": 502,
  "store-rejected": 502,
  "model-unavailable": 503,
  "gpu-out-of-memory": 503,
  "database-unavailable": 503,
  "pacs-timeout": 504,
  "job-timeout": 504,
  "storage-full": 507,
};

/** Whether an error is one that a caller is told of; any other is the program's own fault. */
export function isForeseen(error: unknown): error is DomainError | HttpError {
  return error instanceof DomainError || error instanceof HttpError;
}

/** The one way from an error to an application/problem+json document (RFC 9457). What was not foreseen is answered blank. */
export function toProblem(error: unknown, requestId: string): Problem {
  if (!(error instanceof HttpError)) return problemOf(toFailure(error), requestId);
  const { code, message } = error;
  return { ...headOf(code), detail: message, retryable: false, requestId };
}

/** The same document, for a job that failed. */
export function problemOf({ code, message, retryable, details }: Failure, requestId: string): Problem {
  const detail =
    message ?? "The server failed in a way that was not foreseen. Its log holds the reason, under the requestId.";
  return { ...headOf(code), detail, retryable, requestId, ...(Object.keys(details).length > 0 && { details }) };
}

/** Headers that go with a problem. */
export function problemHeaders(error: unknown, problem: Problem): Readonly<Record<string, string>> {
  if (error instanceof HttpError) return error.headers;
  if (problem.status === 401) return { "WWW-Authenticate": 'Bearer realm="parse3d"' };
  return problem.retryable && [429, 503].includes(problem.status) ? { "Retry-After": "10" } : {};
}

function headOf(code: ProblemCode) {
  return { type: `/problems/${code}`, title: code.replaceAll("-", " "), status: statusOf[code], code };
}
