import { expect, test } from "vitest";
import { UnsupportedSeriesError } from "#converters/errors.ts";
import { Problem, ProblemCode } from "#server/contract/index.ts";
import {
  InvalidPromptError,
  ModelNotFoundError,
  ModelUnavailableError,
  PacsTimeoutError,
  PacsUnavailableError,
  SeriesNotFoundError,
  StoreRejectedError,
} from "#server/domain/index.ts";
import { BacklogFullError, JobCancelledError, JobConflictError, JobNotFoundError } from "#server/jobs/index.ts";
import {
  ForbiddenError,
  HttpError,
  InvalidInputError,
  PayloadTooLargeError,
  UnauthenticatedError,
} from "../../server/http/http-error.ts";
import { problemHeaders, statusOf, toProblem } from "../../server/http/problem.ts";

test.each([
  [new InvalidInputError([{ at: "body.prompts", message: "is missing" }]), 400, "invalid-request", false],
  [new UnauthenticatedError("No."), 401, "unauthenticated", false],
  [new ForbiddenError("No."), 403, "forbidden", false],
  [new HttpError("not-found", "Nothing here."), 404, "not-found", false],
  [new HttpError("method-not-allowed", "Use GET."), 405, "method-not-allowed", false],
  [new HttpError("unsupported-media-type", "Send JSON."), 415, "unsupported-media-type", false],
  [new SeriesNotFoundError("No such series."), 404, "series-not-found", false],
  [new JobNotFoundError(), 404, "job-not-found", false],
  [new JobConflictError("Ended."), 409, "job-conflict", false],
  [new JobCancelledError(), 409, "job-cancelled", false],
  [new PayloadTooLargeError("The file", 10), 413, "payload-too-large", false],
  [new InvalidPromptError("What?", ["skull"]), 422, "invalid-prompt", false],
  [
    new UnsupportedSeriesError("gantry-tilt", "Tilted by 12 degrees.", { degrees: 12 }),
    422,
    "unsupported-series",
    false,
  ],
  [new ModelNotFoundError("No such model."), 422, "model-not-found", false],
  [new BacklogFullError(100), 429, "rate-limited", true],
  [new PacsUnavailableError("Down.", { status: 500 }), 502, "pacs-unavailable", true],
  [new PacsUnavailableError("Wrong password.", { status: 401, retryable: false }), 502, "pacs-unavailable", false],
  [new StoreRejectedError("Full.", { failureReason: 0xa700 }), 502, "store-rejected", false],
  [new ModelUnavailableError("Died."), 503, "model-unavailable", true],
  [new PacsTimeoutError("Slow."), 504, "pacs-timeout", true],
  [new TypeError("x is undefined"), 500, "internal", false],
  ["thrown text", 500, "internal", false],
])("%s", (error, status, code, retryable) => {
  const problem = toProblem(error, "request-1");
  expect(Problem.parse(problem)).toEqual(problem);
  expect(problem).toMatchObject({ type: `/problems/${code}`, status, code, retryable, requestId: "request-1" });
  expect(problem.title).toBe(code.replaceAll("-", " "));
});

test("details reach the caller: reason, figures, suggestions, the archive's own failure", () => {
  const details = (error: Error) => toProblem(error, "r").details;
  expect(details(new UnsupportedSeriesError("gantry-tilt", "Tilted.", { degrees: 12 }))).toEqual({
    reason: "gantry-tilt",
    degrees: 12,
  });
  expect(details(new InvalidPromptError("What?", ["skull"]))).toEqual({ suggestions: ["skull"] });
  expect(details(new StoreRejectedError("Full.", { failureReason: 0xa700 }))).toEqual({ failureReason: 0xa700 });
  expect(details(new JobNotFoundError())).toBeUndefined();
});

test("an error that was not foreseen says nothing of itself", () => {
  const text = JSON.stringify(toProblem(new Error("/etc/passwd"), "r"));
  expect(text).not.toContain("passwd");
});

test("only what may go better later says when to ask again", () => {
  const headers = (error: unknown) => problemHeaders(error, toProblem(error, "r"));
  expect(headers(new BacklogFullError(1))).toHaveProperty("Retry-After");
  expect(headers(new ModelUnavailableError("Died."))).toHaveProperty("Retry-After");
  expect(headers(new JobNotFoundError())).toEqual({});
  expect(headers(new HttpError("method-not-allowed", "No.", { Allow: "GET" }))).toEqual({ Allow: "GET" });
});

test("every code has a status of its class", () => {
  for (const code of ProblemCode.options) {
    expect(statusOf[code]).toBeGreaterThanOrEqual(400);
    expect(statusOf[code]).toBeLessThan(600);
  }
});
