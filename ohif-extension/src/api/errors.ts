import type { Problem } from "#server/contract/index.ts";

/** The server refused, and told why: the words of `problem.detail` are for the user. */
export class ApiProblemError extends Error {
  override readonly name = "ApiProblemError";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.problem = problem;
  }
}

/** A refusal that may be over later: a token that is renewed, requests that were too many, an archive that comes back. */
export function mayPass({ status, retryable }: Problem): boolean {
  return retryable || status === 401 || status === 429;
}

/** Nobody answered. Asking again later may help. */
export class ServerUnreachableError extends Error {
  override readonly name = "ServerUnreachableError";
}

/** Something answered that is not the contract's reply: another version, or another server. */
export class UnexpectedAnswerError extends Error {
  override readonly name = "UnexpectedAnswerError";
}
