import { DomainError } from "#converters/errors.ts";
import type { ProblemCode } from "#server/contract/index.ts";

/** What only HTTP can get wrong. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly code: Extract<ProblemCode, "not-found" | "method-not-allowed" | "unsupported-media-type">;
  /** Headers that the answer must carry (RFC 9110). */
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: HttpError["code"], message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.headers = headers;
  }
}

export class UnauthenticatedError extends DomainError {
  override readonly name = "UnauthenticatedError";
  readonly code = "unauthenticated";
}

export class ForbiddenError extends DomainError {
  override readonly name = "ForbiddenError";
  readonly code = "forbidden";
}

export class PayloadTooLargeError extends DomainError {
  override readonly name = "PayloadTooLargeError";
  readonly code = "payload-too-large";
  readonly #maxBytes: number;

  constructor(what: string, maxBytes: number) {
    super(`${what} is larger than the ${maxBytes} bytes that this server takes.`);
    this.#maxBytes = maxBytes;
  }

  override get details() {
    return { maxBytes: this.#maxBytes };
  }
}

/** One part of a request that does not fit the contract. */
export interface InputIssue {
  /** Like "body.prompts.0.text". */
  readonly at: string;
  readonly message: string;
}

/** The request does not fit the contract. Values are not repeated. */
export class InvalidInputError extends DomainError {
  override readonly name = "InvalidInputError";
  readonly code = "invalid-request";
  readonly #issues: readonly InputIssue[];

  constructor(issues: readonly InputIssue[]) {
    super(
      `The request does not fit: ${issues.map(({ at, message }) => `${at}: ${message}`).join("; ")}`.slice(0, 2000),
    );
    this.#issues = issues.slice(0, 20);
  }

  override get details() {
    return { issues: this.#issues };
  }
}

/** Thrown into what still runs when the server stops. */
export class ShuttingDownError extends DomainError {
  override readonly name = "ShuttingDownError";
  readonly code = "model-unavailable";
  override readonly retryable = true;

  constructor() {
    super("The server is shutting down. Ask again when it is back.");
  }
}

/** Nobody waits for the answer any more. */
export class ClientGoneError extends Error {
  override readonly name = "ClientGoneError";

  constructor() {
    super("the client hung up");
  }
}
