import { spawn } from "node:child_process";
import { existsSync, globSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The machine, as far as system packages are concerned. */
export interface Host {
  readonly isRoot: boolean;
  /** Whether a program (a bare name) or a file (an absolute path, with `*` and `{a,b}`) is there. */
  has(programOrPath: string): boolean;
  /** Runs a program to its end, what it prints going to stderr. Its exit code; 128 where a signal ended it. */
  run(command: readonly [string, ...string[]], options: { readonly signal: AbortSignal }): Promise<number>;
  writeProgram(path: string, text: string): void;
  remove(path: string): void;
}

const programFolders = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
  "/opt/homebrew/bin",
];

export const thisHost: Host = {
  isRoot: process.getuid?.() === 0,
  has(programOrPath) {
    if (!programOrPath.startsWith("/")) return programFolders.some((folder) => existsSync(join(folder, programOrPath)));
    return /[*{]/.test(programOrPath) ? globSync(programOrPath).length > 0 : existsSync(programOrPath);
  },
  run([program, ...args], { signal }) {
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, { stdio: ["ignore", 2, 2] });
      const stop = () => child.kill();
      signal.addEventListener("abort", stop, { once: true });
      child.once("error", reject).once("exit", (code) => {
        signal.removeEventListener("abort", stop);
        resolve(code ?? 128);
      });
    });
  },
  writeProgram: (path, text) => writeFileSync(path, text, { mode: 0o755, flag: "wx" }),
  remove: (path) => rmSync(path, { force: true }),
};
