import { DomainError, type ErrorCode } from "#converters/errors.ts";

/** Why a job failed, as plain data. */
export interface Failure {
  readonly code: ErrorCode;
  /** What is wrong and what to do next; absent where the fault is the program's own. */
  readonly message?: string;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;
}

/** The failure as others may see it: what is not a DomainError says nothing of itself. */
export function toFailure(error: unknown): Failure {
  if (!(error instanceof DomainError)) return { code: "internal", retryable: false, details: {} };
  const { code, message, retryable, details } = error;
  return { code, message, retryable, details };
}

/** The model of another machine that is to answer, where that is why this one did not. */
export function elsewhereOf({ code, details }: Failure): string | undefined {
  return code === "model-not-found" && typeof details.elsewhere === "string" ? details.elsewhere : undefined;
}

/** A DomainError of another thread or of a job: the same code, message and details, not the same class. */
export class RemoteError extends DomainError {
  override readonly name = "RemoteError";
  readonly code: ErrorCode;
  override readonly retryable: boolean;
  readonly #details: Readonly<Record<string, unknown>>;

  constructor({ code, message, retryable, details }: Failure) {
    super(message ?? "The server failed in a way that was not foreseen; its log holds the reason.");
    this.code = code;
    this.retryable = retryable;
    this.#details = details;
  }

  override get details() {
    return this.#details;
  }
}
