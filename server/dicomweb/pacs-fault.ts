import { PacsUnavailableError, StoreRejectedError } from "../domain/errors.ts";

/** A fault that often passes by itself: a broken connection, 429, 502, 503, 504. Outside this folder, its base class. */
export class TransientPacsError extends PacsUnavailableError {
  /** What Retry-After asked for. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    { retryAfterMs, ...options }: ErrorOptions & { status?: number; retryAfterMs?: number | undefined } = {},
  ) {
    super(message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

export const TRANSIENT_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** What an answer outside 2xx means where no status has a meaning of its own. */
export function refusal(status: number): PacsUnavailableError {
  if (status === 401 || status === 403) {
    const message = `The archive refuses our credentials (HTTP ${status}): check PARSE3D_DICOMWEB_TOKEN and the user's rights in the archive.`;
    return new PacsUnavailableError(message, { status, retryable: false });
  }
  if (status >= 300 && status < 400) {
    const message = `The archive redirects to another address (HTTP ${status}), which is not followed: set PARSE3D_DICOMWEB_URL to the address it moved to.`;
    return new PacsUnavailableError(message, { status, retryable: false });
  }
  if (status === 404 || status === 405) {
    const message = `The archive knows no such DICOMweb service (HTTP ${status}): check that PARSE3D_DICOMWEB_URL is its DICOMweb root.`;
    return new PacsUnavailableError(message, { status, retryable: false });
  }
  if (status >= 400 && status < 500) {
    return new PacsUnavailableError(`The archive does not take the request (HTTP ${status}): see the archive's log.`, {
      status,
      retryable: false,
    });
  }
  return new PacsUnavailableError(
    `The archive failed (HTTP ${status}): see the archive's log, and try again when it is well.`,
    { status },
  );
}

/** An answer whose content is not what DICOMweb says it is, such as a login page. */
export function notDicomweb(contentType: string | undefined, status: number): PacsUnavailableError {
  const came = /^\s*([\w.+-]{1,40}\/[\w.+-]{1,60})/.exec(contentType ?? "")?.[1]?.toLowerCase() ?? "no content type";
  return new PacsUnavailableError(
    `The archive answered with ${came}, which is not DICOMweb: check that PARSE3D_DICOMWEB_URL is its DICOMweb root and that no login page stands before it.`,
    { status, retryable: false },
  );
}

/** What a system error on the way to the archive means. */
export function connectionFault(cause: unknown): PacsUnavailableError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (code === "ECONNREFUSED" || code === "EHOSTUNREACH" || code === "ENETUNREACH") {
    const message = "The archive cannot be reached: start it, or check PARSE3D_DICOMWEB_URL and the network.";
    return new TransientPacsError(message, { cause });
  }
  if (code === "ENOTFOUND") {
    const message = "The archive's host name is unknown: check PARSE3D_DICOMWEB_URL.";
    return new PacsUnavailableError(message, { cause, retryable: false });
  }
  if (code.startsWith("HPE_")) return notHttp(cause);
  if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) {
    const message = "The archive's TLS certificate is not trusted here: add its authority through NODE_EXTRA_CA_CERTS.";
    return new PacsUnavailableError(message, { cause, retryable: false });
  }
  return new TransientPacsError("The connection to the archive broke: try again, and check the archive's log.", {
    cause,
  });
}

export function notHttp(cause: unknown): PacsUnavailableError {
  return new PacsUnavailableError("What answered is not an HTTP server: check PARSE3D_DICOMWEB_URL.", {
    cause,
    retryable: false,
  });
}

/** What an error in the middle of an answer means. */
export function interruptionFault(cause: unknown): TransientPacsError {
  return new TransientPacsError("The connection to the archive broke in the middle of an answer: try again.", {
    cause,
  });
}

/** What a refused STOW-RS request means (PS3.18 table 10.5.3-1). */
export function storeRefusal(status: number): PacsUnavailableError | StoreRejectedError {
  switch (status) {
    case 404:
    case 405:
    case 501:
      return new StoreRejectedError(
        `The archive takes no new objects over DICOMweb (HTTP ${status}): enable STOW-RS there, or check PARSE3D_DICOMWEB_URL.`,
      );
    case 413:
      return new StoreRejectedError("The object is larger than the archive takes (HTTP 413): raise its upload limit.");
    case 415:
      return new StoreRejectedError("The archive does not take DICOM files over STOW-RS (HTTP 415): see its settings.");
    default:
      return status >= 400 && status < 500 && status !== 401 && status !== 403
        ? new StoreRejectedError(`The archive does not take the object (HTTP ${status}): see the archive's log.`)
        : refusal(status);
  }
}
