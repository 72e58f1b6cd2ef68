import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InvalidRequestError } from "#server/domain/index.ts";

/** The bytes of a file that the user named. */
export async function readInput(path: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    throw new InvalidRequestError(`The file cannot be read: ${reasonOf(cause)}. Check the path.`, { cause });
  }
}

/** Writes a result whole or not at all: a file that is there is complete. */
export async function writeOutput(path: string, bytes: Uint8Array): Promise<void> {
  const unfinished = `${path}.${process.pid}.part`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(unfinished, bytes);
    await rename(unfinished, path);
  } catch (cause) {
    await rm(unfinished, { force: true });
    throw new InvalidRequestError(`The output cannot be written: ${reasonOf(cause)}.`, { cause });
  }
}

export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    throw new InvalidRequestError(`The path cannot be read: ${reasonOf(cause)}. Check it.`, { cause });
  }
}

/** Every DICOM file (by its "DICM" mark) in a folder and the folders below, one after the other, in the order of their names. */
export async function* dicomFilesIn(folder: string): AsyncGenerator<Uint8Array> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of paths.sort()) if (await isPart10(path)) yield await readInput(path);
}

async function isPart10(path: string): Promise<boolean> {
  await using file = await open(path);
  const mark = new Uint8Array(4);
  const { bytesRead } = await file.read(mark, 0, 4, 128);
  return bytesRead === 4 && String.fromCharCode(...mark) === "DICM";
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason";
}
