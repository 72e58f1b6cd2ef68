import { pipeline, Readable, type Transform } from "node:stream";
import { createGunzip, createInflate } from "node:zlib";
import { PacsUnavailableError } from "../domain/errors.ts";

/**
 * The body without its Content-Encoding (RFC 9110 section 8.4). None is asked for, because old archives compress
 * images at a tenth of the speed; some compress anyway.
 * @throws PacsUnavailableError; and as `body` does
 */
export async function* decoded(body: AsyncIterable<Uint8Array>, coding = "identity"): AsyncGenerator<Uint8Array, void> {
  const inflate = INFLATE[coding.trim().toLowerCase()];
  if (inflate === undefined) {
    throw new PacsUnavailableError(
      "The archive compresses its answers in a way that was not asked for: let it honour Accept-Encoding: identity.",
      { retryable: false },
    );
  }
  if (inflate === null) {
    yield* body;
    return;
  }
  try {
    yield* pipeline(Readable.from(copies(body)), inflate(), () => {});
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && String(cause.code).startsWith("Z_"))) throw cause;
    throw new PacsUnavailableError("The archive's compressed answer is damaged: turn its HTTP compression off.", {
      cause,
      retryable: false,
    });
  }
}

const INFLATE: Readonly<Record<string, (() => Transform) | null>> = {
  identity: null,
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
};

/** zlib keeps what it is given until it gets to it. */
async function* copies(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of body) yield Buffer.from(chunk);
}
