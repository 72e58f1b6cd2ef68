import { execFile } from "node:child_process";
import { arch, cpus, release, totalmem } from "node:os";
import { promisify } from "node:util";
import type { Suite } from "./figure.ts";

const run = promisify(execFile);

/** Where figures were taken: they mean nothing without it. */
export async function environment(programs: Suite["programs"] = {}) {
  const versions: Record<string, string> = { node: process.version };
  for (const [name, [command, ...arguments_]] of Object.entries(programs)) {
    versions[name] = await firstLine(command, arguments_);
  }
  const changed = (await firstLine("git", ["status", "--porcelain", "--untracked-files=no"])) !== "";
  return {
    machine: {
      cpu: cpus()[0]?.model ?? "unknown",
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      system: `${process.platform} ${release()} ${arch()}`,
    },
    versions,
    commit: `${await firstLine("git", ["rev-parse", "HEAD"])}${changed ? " with changes" : ""}`,
  };
}

async function firstLine(command: string, arguments_: readonly string[]): Promise<string> {
  // Some programs end with an error code after they have said their version.
  const { stdout } = await run(command, arguments_, { cwd: import.meta.dirname }).catch(
    (error: { readonly stdout?: string }) => ({ stdout: error.stdout || "unknown" }),
  );
  return stdout.split("\n")[0]?.trim() ?? "";
}
