import type { IncomingMessage } from "node:http";
import { pipeline, type Readable } from "node:stream";
import { createGunzip, createInflate } from "node:zlib";
import { DomainError } from "#converters/errors.ts";
import { PacsUnavailableError } from "../domain/errors.ts";
import { TransientPacsError } from "./pacs-fault.ts";
import type { Patience } from "./patience.ts";

/**
 * The body of an answer as it comes, decompressed. The clock runs only while the archive is waited for, so a slow
 * reader is no stalled archive. Ending the iteration early closes the socket, unless the whole answer has come.
 * @throws PacsTimeoutError, TransientPacsError where the connection breaks, the signal's reason after an abort
 */
export async function* responseBody(
  response: IncomingMessage,
  patience: Patience,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  let chunks: AsyncIterator<Buffer, void> | undefined;
  try {
    chunks = decoded(response).iterator({ destroyOnReturn: false });
    for (;;) {
      patience.waitFor("body");
      const next = await chunks.next();
      patience.rest();
      if (next.done) break;
      yield next.value;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw patience.fault ?? bodyFault(error);
  } finally {
    patience.rest();
    await chunks?.return?.();
    // What has come already is drained, so that the connection can be used again.
    if (response.complete) response.resume();
    else response.destroy();
  }
}

/** Bulk data is asked for as it is, because old archives compress it at a tenth of the speed; some compress anyway. */
function decoded(response: IncomingMessage): Readable {
  const encoding = (response.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  switch (encoding) {
    case "identity":
      return response;
    case "gzip":
    case "x-gzip":
      return pipeline(response, createGunzip(), () => {});
    case "deflate":
      return pipeline(response, createInflate(), () => {});
    default:
      throw new PacsUnavailableError(
        "The archive compresses its answers in a way that was not asked for: let it honour Accept-Encoding: identity.",
        { retryable: false },
      );
  }
}

function bodyFault(cause: unknown): DomainError {
  if (cause instanceof DomainError) return cause;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (code.startsWith("Z_")) {
    return new PacsUnavailableError("The archive's compressed answer is damaged: turn its HTTP compression off.", {
      cause,
      retryable: false,
    });
  }
  return new TransientPacsError("The connection to the archive broke in the middle of an answer: try again.", {
    cause,
  });
}
