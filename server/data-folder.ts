import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "./config.ts";
import { codeOf, makeFolder } from "./make-folder.ts";

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
