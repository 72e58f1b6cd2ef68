import { randomUUID } from "node:crypto";
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ConfigError } from "./config.ts";

/** Enough to find out that nothing fits any more. */
const PROBE_BYTES = 64 * 1024;

/**
 * Makes the data folder where it is missing, and makes sure that it can be written to.
 * @throws ConfigError that says what is wrong with it
 */
export async function ensureDataFolder(folder: string): Promise<void> {
  const probe = join(folder, `.probe-${randomUUID()}`);
  try {
    await makeFolder(folder);
    try {
      await writeFile(probe, new Uint8Array(PROBE_BYTES), { mode: 0o600 });
    } finally {
      await rm(probe, { force: true });
    }
  } catch (cause) {
    throw new ConfigError([`PARSE3D_DATA_DIR: ${explain(codeOf(cause))} (${folder})`]);
  }
}

/**
 * As `mkdir -p`. Node's own recursive one never ends where the parent is there and refuses with ENOENT, as /proc does.
 */
async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder).then(
    () => true,
    (error: unknown) => {
      if (codeOf(error) === "EEXIST") return true;
      if (codeOf(error) !== "ENOENT" || dirname(folder) === folder) throw error;
      return false;
    },
  );
  if (made) {
    if (!(await stat(folder)).isDirectory()) throw Object.assign(new Error("not a folder"), { code: "ENOTDIR" });
    return;
  }
  await makeFolder(dirname(folder));
  await mkdir(folder);
}

function explain(code: string): string {
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return "its disk is full; free some space, or choose another folder";
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return "it cannot be written to; change its owner or rights, or choose another folder";
    case "ENOTDIR":
      return "a part of its path is a file; choose another folder";
    default:
      return `it cannot be made there (${code}); choose another folder`;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
}
