import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { InvalidRequestError } from "#server/domain/index.ts";

/** The bytes of a file that the user named. */
export async function readInput(path: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    throw await invalidRequest("The file cannot be read", cause, "Check the path.");
  }
}

/**
 * Writes a result, in parts, whole or not at all: a file that is there is complete. A device or a pipe is written to as
 * it is.
 */
export async function writeOutput(path: string, ...parts: readonly Uint8Array[]): Promise<void> {
  if (await isDevice(path)) return writeParts(path, parts);
  const unfinished = `${path}.${process.pid}.part`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeParts(unfinished, parts);
    await rename(unfinished, path);
  } catch (cause) {
    await rm(unfinished, { force: true });
    throw await invalidRequest("The output cannot be written", cause);
  }
}

async function isDevice(path: string): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  return there !== undefined && !there.isFile() && !there.isDirectory();
}

export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    throw await invalidRequest("The path cannot be read", cause, "Check it.");
  }
}

/** Files that are read ahead while the caller works. */
const READ_AHEAD = 6;

/** Every DICOM file (by its "DICM" mark) in a folder and the folders below, one after the other, in the order of their names. */
export async function* dicomFilesIn(folder: string): AsyncGenerator<Uint8Array> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const coming: Promise<Uint8Array | undefined>[] = [];
  let next = 0;
  paths.sort();
  try {
    while (next < paths.length || coming.length > 0) {
      while (next < paths.length && coming.length < READ_AHEAD) coming.push(readDicomFile(paths[next++]!));
      const bytes = await coming[0];
      coming.shift();
      if (bytes !== undefined) yield bytes;
    }
  } finally {
    await Promise.allSettled(coming);
  }
}

/** Where a large file is looked into before it is read: an archive may lie beside the images. */
const LARGE_BYTES = 64 * 1024 * 1024;
const MARK_AT = 128;

/** The bytes of a DICOM file; undefined for any other. */
async function readDicomFile(path: string): Promise<Uint8Array | undefined> {
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    if (size > LARGE_BYTES) {
      const { buffer: start } = await file.read({ buffer: new Uint8Array(MARK_AT + 4), position: 0 });
      if (!isPart10(start)) return undefined;
    }
    const bytes = new Uint8Array(size);
    let filled = 0;
    while (filled < size) {
      const { bytesRead } = await file.read(bytes, filled, size - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return isPart10(bytes) ? bytes.subarray(0, filled) : undefined;
  } catch (cause) {
    throw await invalidRequest("The file cannot be read", cause, "Check the path.");
  }
}

function isPart10(bytes: Uint8Array): boolean {
  return String.fromCharCode(...bytes.subarray(MARK_AT, MARK_AT + 4)) === "DICM";
}

/** More in one call than this not every system takes. */
const LARGEST_WRITE = 1 << 30;

async function writeParts(path: string, parts: readonly Uint8Array[]): Promise<void> {
  await using file = await open(path, "w");
  for (const part of parts) {
    for (let at = 0; at < part.length; ) {
      const { bytesWritten } = await file.write(part, at, Math.min(part.length - at, LARGEST_WRITE));
      at += bytesWritten;
    }
  }
}

/** The domain is loaded when something went wrong: a conversion does without it. */
async function invalidRequest(problem: string, cause: unknown, advice = ""): Promise<InvalidRequestError> {
  const { InvalidRequestError } = await import("#server/domain/index.ts");
  return new InvalidRequestError(`${problem}: ${reasonOf(cause)}. ${advice}`.trim(), { cause });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason";
}
