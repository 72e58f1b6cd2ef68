import { closeSync, openSync, renameSync, writeSync } from "node:fs";
import { access, constants, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { InvalidRequestError } from "#server/domain/index.ts";
import { makeFolder } from "./make-folder.ts";

/** The bytes of a file that the user named. @param what the file is called in an error */
export async function readInput(path: string, what = "The file"): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    throw await invalidRequest(`${what} cannot be read`, cause, "Check the path.");
  }
}

/**
 * Writes a result, in parts, whole or not at all: a file that is there is complete. A device or a pipe is written to as
 * it is.
 */
export async function writeOutput(path: string, ...parts: readonly Uint8Array[]): Promise<void> {
  if (await isDevice(path)) {
    return writeParts(path, parts).catch(async (cause: unknown) => {
      throw await invalidRequest("The output cannot be written", cause);
    });
  }
  const unfinished = `${path}.${process.pid}.part`;
  try {
    await makeFolder(dirname(path));
    await writeParts(unfinished, parts);
    await rename(unfinished, path);
  } catch (cause) {
    await remove(unfinished);
    throw await invalidRequest("The output cannot be written", cause);
  }
}

/**
 * Before work is done for a result that could not be written in the end. Makes nothing.
 * @throws InvalidRequestError where the path is a folder, or its folder cannot be written to
 */
export async function refuseUnwritable(path: string): Promise<void> {
  try {
    if (await isDevice(path)) return await access(path, constants.W_OK);
    if ((await stat(path).catch(() => undefined))?.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    for (let folder = dirname(resolve(path)); ; folder = dirname(folder)) {
      const there = await stat(folder).catch((cause: NodeJS.ErrnoException) => {
        if (cause.code !== "ENOENT" || folder === dirname(folder)) throw cause;
      });
      if (there === undefined) continue;
      if (!there.isDirectory()) throw Object.assign(new Error(), { code: "ENOTDIR" });
      return await access(folder, constants.W_OK | constants.X_OK);
    }
  } catch (cause) {
    throw await invalidRequest("The output cannot be written", cause, "Name another file with -o.");
  }
}

/** @throws InvalidRequestError where a result would take the place of what it is made from, by whatever name */
export async function refuseSameFile(input: string, output: string): Promise<void> {
  const [from, to] = await Promise.all([input, output].map((path) => stat(path).catch(() => undefined)));
  if (!from?.isFile() || from.ino !== to?.ino || from.dev !== to?.dev) return;
  throw await invalidRequest("The output would replace the input", SAME_FILE, "Name another file with -o.");
}

/** @throws InvalidRequestError where results cannot lie in such a folder, before work is done for them */
export async function makeOutputFolder(path: string): Promise<void> {
  try {
    await makeFolder(path, 0o700);
  } catch (cause) {
    throw await invalidRequest("The output folder cannot be made", cause, "Name another one with -o.");
  }
}

/** Writes bytes of an output at an offset, in any order. */
export type PutBytes = (bytes: Uint8Array, at: number) => void;

/**
 * Writes a result piece by piece while it is made, whole or not at all, as `writeOutput` does; not for devices and pipes.
 * @returns what `make` returns
 */
export async function writeOutputFile<T>(path: string, make: (put: PutBytes) => Promise<T>): Promise<T> {
  const unfinished = `${path}.${process.pid}.part`;
  let wrong: unknown;
  const orFail = <R>(work: () => R): R => {
    try {
      return work();
    } catch (cause) {
      wrong = cause;
      throw cause;
    }
  };
  try {
    await makeFolder(dirname(path)).catch((cause: unknown) => {
      wrong = cause;
      throw cause;
    });
    const descriptor = orFail(() => openSync(unfinished, "w"));
    let made: T;
    try {
      made = await make((bytes, at) => orFail(() => writeAll(descriptor, bytes, at)));
    } finally {
      closeSync(descriptor);
    }
    orFail(() => renameSync(unfinished, path));
    return made;
  } catch (cause) {
    await remove(unfinished);
    throw cause === wrong ? await invalidRequest("The output cannot be written", cause) : cause;
  }
}

/** Where it never came to be, there is nothing to remove, for whatever reason. */
async function remove(unfinished: string): Promise<void> {
  await rm(unfinished, { force: true }).catch(() => {});
}

/** In this thread: what it has just made is in its processor's cache, and costs another one half as much again. */
function writeAll(descriptor: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(descriptor, bytes, done, Math.min(bytes.length - done, LARGEST_WRITE), at + done);
  }
}

/** Whether a path is there and is no file, but something that takes bytes one after the other. */
export async function isDevice(path: string): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  return there !== undefined && !there.isFile() && !there.isDirectory();
}

/** @param what the path is called in an error */
export async function isFolder(path: string, what = "The path"): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    throw await invalidRequest(`${what} cannot be read`, cause, "Check it.");
  }
}

const SAME_FILE = Object.assign(new Error(), { code: "it is the same file" });

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
export async function invalidRequest(problem: string, cause: unknown, advice = ""): Promise<InvalidRequestError> {
  const { InvalidRequestError } = await import("#server/domain/index.ts");
  return new InvalidRequestError(`${problem}: ${reasonOf(cause)}. ${advice}`.trim(), { cause });
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error && "code" in cause)) return "unknown reason";
  const code = String(cause.code);
  return WORDS[code] ? `${code} (${WORDS[code]})` : code;
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "there is nothing of that name",
  EISDIR: "it is a folder",
  ENOTDIR: "what should be a folder is a file",
  EEXIST: "it is there, and is no folder",
  EACCES: "not allowed",
  EPERM: "not allowed",
  EROFS: "the file system is read-only",
  ENOSPC: "no room is left",
};
