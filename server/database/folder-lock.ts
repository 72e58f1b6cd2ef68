import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rm, unlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DatabaseInUseError } from "./errors.ts";

/** Folders that this process has open: a process does not lock itself out by its own lock file of an earlier life. */
const held = new Set<string>();

/**
 * Takes a folder for this process alone. The lock of a process that is gone, whatever ended it, counts for nothing.
 * @throws DatabaseInUseError
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  const path = join(resolve(folder), "in-use-by");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const mine = `${process.pid} ${await startOf(process.pid)}`;
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, mine, { mode: 0o600 });
  try {
    // A link appears whole or not at all, and never over another one.
    while (!(await linked(draft, path))) {
      const owner = await readFile(path, "utf8").catch(() => "");
      const pid = Number(owner.split(" ")[0]);
      if (owner === mine ? held.has(path) : await isAlive(owner)) throw new DatabaseInUseError(pid);
      await rm(path, { force: true });
    }
  } finally {
    await unlink(draft);
  }
  held.add(path);
  return {
    [Symbol.asyncDispose]: async () => {
      held.delete(path);
      await rm(path, { force: true });
    },
  };
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Whether the process that wrote the lock still runs, and is not another one that was given the same number. */
async function isAlive(owner: string): Promise<boolean> {
  const [pid = 0, start = ""] = [Number(owner.split(" ")[0]), owner.split(" ")[1]];
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  return (await startOf(pid)) === start;
}

/** When a process began, in ticks since the machine started; "" where the system does not tell. */
async function startOf(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold spaces; field 22 is counted behind it (proc_pid_stat(5)).
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}
