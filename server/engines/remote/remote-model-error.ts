import { ModelUnavailableError } from "../../domain/errors.ts";

/** What went wrong between this machine and the one that computes a model. */
export const REMOTE_FAULTS = [
  /** No connection: nobody listens, the name is unknown, the certificate is not trusted. */
  "unreachable",
  /** Nothing came in time. */
  "timeout",
  /** The connection ended in the middle of an answer. */
  "cut-off",
  /** The server refuses our key, or has none from us. */
  "unauthorized",
  /** The server has more to do than it takes. */
  "busy",
  /** The server knows no such model, or has not loaded it. */
  "model-missing",
  /** The server's own program failed on the request. */
  "model-failed",
  /** The image makes a larger request than may be sent, or the answer is larger than it can be. */
  "too-large",
  /** The server is not what its address was given for. */
  "wrong-protocol",
  /** An answer, or what the server says of its model, has other shapes or types than the model's. */
  "wrong-shape",
] as const;
export type RemoteFault = (typeof REMOTE_FAULTS)[number];

/** Faults that may be gone when the same is asked again. */
const PASSING: ReadonlySet<RemoteFault> = new Set(["unreachable", "timeout", "cut-off", "busy", "model-failed"]);

/** A model that is computed on another machine did not answer. */
export class RemoteModelError extends ModelUnavailableError {
  readonly fault: RemoteFault;
  /** The HTTP status, where there was one. */
  readonly status: number | undefined;

  constructor(
    fault: RemoteFault,
    message: string,
    { status, ...options }: ErrorOptions & { readonly status?: number | undefined } = {},
  ) {
    super(message, { ...options, retryable: PASSING.has(fault) });
    this.fault = fault;
    this.status = status;
  }

  override get details() {
    return { fault: this.fault, ...(this.status !== undefined && { remoteStatus: this.status }) };
  }
}
