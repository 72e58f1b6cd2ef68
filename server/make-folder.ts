import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * As `mkdir -p`. Node's own recursive one never ends where the parent is there and refuses with ENOENT, as /proc does.
 * @param mode of the folders that are made; less what the process masks
 */
export async function makeFolder(folder: string, mode = 0o777): Promise<void> {
  const made = await mkdir(folder, { mode }).then(
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
  await makeFolder(dirname(folder), mode);
  await mkdir(folder, { mode }).catch((error: unknown) => {
    // Another process was quicker.
    if (codeOf(error) !== "EEXIST") throw error;
  });
}

/** The system's name of what went wrong, like ENOSPC. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
}
