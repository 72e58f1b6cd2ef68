import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { copyFile, link, realpath, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { FileRef } from "../card-fields.ts";

export interface PlaceOptions {
  /** Told before anything is copied, with the bytes that it will take. @throws to refuse */
  readonly onCopy?: ((bytes: number) => void | Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Errors that mean: no hard link from there to here. */
const NO_LINK = new Set(["EXDEV", "EPERM", "EACCES", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/**
 * Puts the weights under `to`: a hard link, which takes no room (a symbolic one is refused by onnxruntime); a copy only where
 * the file system has no link for it.
 */
export async function placeWeights(from: string, to: string, { onCopy, signal }: PlaceOptions): Promise<void> {
  const file = await realpath(from);
  const linked = await link(file, to).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (NO_LINK.has(error.code ?? "")) return false;
      throw error;
    },
  );
  if (linked) return;
  const { size } = await stat(file);
  await onCopy?.(size);
  signal?.throwIfAborted();
  await copyFile(file, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
}

/** What a manifest says of a large file. @param onProgress share of the file that is hashed, 0 to 1 */
export async function describeFile(
  path: string,
  { onProgress, signal }: { readonly onProgress?: (share: number) => void; readonly signal?: AbortSignal | undefined },
): Promise<FileRef> {
  const { size } = await stat(path);
  const hash = createHash("sha256");
  let bytes = 0;
  const stream = createReadStream(path, { highWaterMark: 4 * 2 ** 20, ...(signal && { signal }) });
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    hash.update(chunk);
    bytes += chunk.byteLength;
    onProgress?.(bytes / size);
  }
  return { name: basename(path), sha256: hash.digest("hex"), bytes };
}
