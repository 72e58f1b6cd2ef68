import { open } from "node:fs/promises";
import { basename } from "node:path";
import { ModelBundleError } from "../../errors.ts";

/** A file that is read here and there, never as a whole. */
export interface ByteSource {
  /** As a message calls it. */
  readonly name: string;
  readonly size: number;
  /** @throws ModelBundleError where the range is not all inside the file */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** @throws ModelBundleError where the path is no file that can be read */
export async function openFile(path: string): Promise<ByteSource & AsyncDisposable> {
  const name = basename(path);
  const unreadable = (cause: NodeJS.ErrnoException) => {
    const remedy = cause.code === "ENOENT" ? "is not there; check the path." : `cannot be read (${cause.code}).`;
    return new ModelBundleError(name, remedy, { cause });
  };
  const file = await open(path, "r").catch((cause: NodeJS.ErrnoException) => {
    throw unreadable(cause);
  });
  const status = await file.stat();
  if (!status.isFile()) {
    await file.close();
    throw new ModelBundleError(name, "is not a plain file; name the weights file itself.");
  }
  return {
    name,
    size: status.size,
    read: async (offset, length) => {
      checkRange({ name, size: status.size }, offset, length);
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await file.read(bytes, done, length - done, offset + done).catch((cause) => {
          throw unreadable(cause);
        });
        if (bytesRead === 0) throw damagedWeights(name, "became shorter while it was read");
        done += bytesRead;
      }
      return bytes;
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** @throws ModelBundleError where the range is not all inside the file */
export function checkRange(source: Pick<ByteSource, "name" | "size">, offset: number, length: number): void {
  const inside = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!inside || offset + length > source.size)
    throw damagedWeights(source.name, `points to ${length} bytes at ${offset}, and is ${source.size} bytes long`);
}

/** What a weights file that breaks its own format ends in. @param how as the predicate of a sentence, without full stop */
export function damagedWeights(file: string, how: string, options: ErrorOptions = {}): ModelBundleError {
  return new ModelBundleError(file, `${how}: it is damaged, or not a weights file; download it again.`, options);
}

/** What a well-formed weights file ends in that cannot be used as it is. */
export function unusableWeights(file: string, how: string): ModelBundleError {
  return new ModelBundleError(file, `${how}; use the published file of the model, unchanged.`);
}
