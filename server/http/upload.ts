import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import busboy from "busboy";
import type { UploadedFile } from "./handlers.ts";
import { HttpError, InvalidInputError, PayloadTooLargeError } from "./http-error.ts";

/** Form fields together may hold so much. */
const maxFields = 100;
const maxFieldBytes = 16 * 1024;

/** Fields by name, in the order they came. */
export type FormFields = ReadonlyMap<string, readonly string[]>;

export interface Upload extends AsyncDisposable {
  readonly fields: FormFields;
  readonly file: UploadedFile;
}

/**
 * A multipart form (RFC 7578) with one part `file`, which goes to disk as it comes. Disposing removes it.
 * @throws HttpError unsupported-media-type, InvalidInputError, PayloadTooLargeError, the signal's reason
 */
export async function receiveUpload(
  request: IncomingMessage,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<Upload> {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > maxBytes + maxFields * maxFieldBytes) throw new PayloadTooLargeError("The upload", maxBytes);
  const parser = openParser(request, maxBytes);
  const folder = await mkdtemp(join(tmpdir(), "parse3d-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const path = join(folder, "input.nii");
    const { fields, bytes } = await receive(request, parser, { path, maxBytes, signal });
    return { fields, file: { path, bytes, folder }, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function openParser(request: IncomingMessage, maxBytes: number): busboy.Busboy {
  if (!/^multipart\/form-data\s*;/i.test(request.headers["content-type"] ?? "")) {
    throw new HttpError(
      "unsupported-media-type",
      "Send a form with Content-Type: multipart/form-data and a part named file.",
    );
  }
  try {
    return busboy({
      headers: request.headers,
      // One byte more than is taken, so that a file of exactly the limit is told from one that was cut there.
      limits: { files: 1, fileSize: maxBytes + 1, fields: maxFields, fieldSize: maxFieldBytes, headerPairs: 50 },
    });
  } catch {
    throw new InvalidInputError([{ at: "headers.content-type", message: "has no usable boundary" }]);
  }
}

async function receive(
  request: IncomingMessage,
  parser: busboy.Busboy,
  { path, maxBytes, signal }: { readonly path: string; readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<{ readonly fields: FormFields; readonly bytes: number }> {
  const fields = new Map<string, readonly string[]>();
  const { promise: parsed, resolve, reject } = Promise.withResolvers<void>();
  const refuse = (at: string, message: string) => reject(new InvalidInputError([{ at, message }]));
  let written: Promise<number> | undefined;

  parser.on("field", (name, value, { nameTruncated, valueTruncated }) => {
    if (nameTruncated || valueTruncated) refuse("form", `a field is longer than ${maxFieldBytes} bytes`);
    fields.set(name, [...(fields.get(name) ?? []), value]);
  });
  parser.on("file", (name, part) => {
    if (name !== "file") refuse("form", "the file must be the part named file");
    written = save(part, path, maxBytes);
    written.catch(reject);
  });
  parser.on("filesLimit", () => refuse("form", "holds more than one file"));
  parser.on("fieldsLimit", () => refuse("form", `holds more than ${maxFields} fields`));
  parser.on("error", () => refuse("form", "is not well-formed multipart, or was cut short"));
  parser.on("close", resolve);
  request.once("error", reject);
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  request.pipe(parser);
  try {
    await parsed;
    const bytes = await written;
    if (bytes === undefined) throw new InvalidInputError([{ at: "form.file", message: "is missing" }]);
    if (bytes === 0) throw new InvalidInputError([{ at: "form.file", message: "is empty" }]);
    return { fields, bytes };
  } catch (error) {
    request.unpipe(parser);
    parser.destroy();
    await written?.catch(() => {});
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** @returns the bytes written */
async function save(part: Readable, path: string, maxBytes: number): Promise<number> {
  const target = createWriteStream(path, { flags: "wx", mode: 0o600 });
  await pipeline(
    part,
    async function* limit(chunks: AsyncIterable<Buffer>) {
      let bytes = 0;
      for await (const chunk of chunks) {
        bytes += chunk.length;
        if (bytes > maxBytes) throw new PayloadTooLargeError("The file", maxBytes);
        yield chunk;
      }
    },
    target,
  );
  return target.bytesWritten;
}
