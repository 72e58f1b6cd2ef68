import type { IncomingMessage } from "node:http";
import { HttpError, InvalidInputError, PayloadTooLargeError } from "./http-error.ts";

const usualBytes = 1024 * 1024;

/**
 * A request's JSON body (RFC 8259: UTF-8).
 * @throws HttpError unsupported-media-type, PayloadTooLargeError, InvalidInputError
 */
export async function readJson(request: IncomingMessage, maxBytes = usualBytes): Promise<unknown> {
  const mediaType = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") {
    throw new HttpError("unsupported-media-type", "Send the body as JSON, with Content-Type: application/json.");
  }
  if ((request.headers["content-encoding"] ?? "identity") !== "identity") {
    throw new HttpError("unsupported-media-type", "Send the body without Content-Encoding.", {
      "Accept-Encoding": "identity",
    });
  }
  const text = decode(await readAll(request, maxBytes));
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidInputError([{ at: "body", message: "not JSON" }]);
  }
}

async function readAll(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = new PayloadTooLargeError("The body", maxBytes);
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) reject(tooLarge);
    else chunks.push(chunk);
  });
  request.once("end", () => resolve(Buffer.concat(chunks)));
  // Whoever hangs up is told nothing, but nothing has failed here either.
  request.once("error", () => reject(new InvalidInputError([{ at: "body", message: "not sent to its end" }])));
  try {
    return await promise;
  } finally {
    request.removeAllListeners("data");
  }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new InvalidInputError([{ at: "body", message: "not UTF-8" }]);
  }
}
