import { execFile } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

/** Packages that only benchmarks are run beside: a package of their own, for nobody else should wait for 110 MB. */
const LISTED = join(import.meta.dirname, "peers");
const INSTALLED = join(import.meta.dirname, "../.cache/bench-peers");

/** Installs the peers where they are not yet, or are not the ones that are listed now. */
export async function installPeers(note: (text: string) => void): Promise<void> {
  const listed = await readFile(join(LISTED, LOCK), "utf8");
  if ((await readFile(join(INSTALLED, DONE), "utf8").catch(() => undefined)) === listed) return;
  note("installing what the benchmarks are run beside (110 MB, this once) ...");
  await mkdir(INSTALLED, { recursive: true });
  await cp(LISTED, INSTALLED, { recursive: true });
  await promisify(execFile)("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: INSTALLED });
  await writeFile(join(INSTALLED, DONE), listed);
}

const LOCK = "package-lock.json";
/** What was listed when the installation was through; npm ci removes it before it begins. */
const DONE = "node_modules/.parse3d-lock";

/** A peer's module, in the process that runs it. */
export function importPeer(name: string): Promise<unknown> {
  const path = createRequire(join(INSTALLED, "package.json")).resolve(name);
  return import(pathToFileURL(path).href);
}
