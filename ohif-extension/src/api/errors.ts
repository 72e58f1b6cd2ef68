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

/** Nobody answered, or somebody who is not a Parse3D server. */
export class ServerUnreachableError extends Error {
  override readonly name = "ServerUnreachableError";
}
