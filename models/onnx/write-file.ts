import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import type { FileRef } from "../card-fields.ts";

const BUFFER_BYTES = 2 ** 20;

/** Writes chunks to a new file, small ones gathered, large ones as they are; returns what a manifest says of it. */
export async function writeChunks(path: string, chunks: Iterable<Uint8Array>): Promise<FileRef> {
  const hash = createHash("sha256");
  let bytes = 0;
  await using file = await open(path, "wx");
  for (const piece of gathered(chunks)) {
    hash.update(piece);
    bytes += piece.byteLength;
    await file.writeFile(piece);
  }
  return { name: basename(path), sha256: hash.digest("hex"), bytes };
}

/** The same bytes in fewer pieces; a piece is valid until the next is asked for. */
function* gathered(chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  let used = 0;
  for (const chunk of chunks) {
    if (used + chunk.byteLength > BUFFER_BYTES) {
      yield buffer.subarray(0, used);
      used = 0;
    }
    if (chunk.byteLength > BUFFER_BYTES) yield chunk;
    else {
      buffer.set(chunk, used);
      used += chunk.byteLength;
    }
  }
  if (used > 0) yield buffer.subarray(0, used);
}
