import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
/** Where the bundles lie; git ignores it. */
export const distFolder = join(root, "ohif-extension/dist");
const sources = ["ohif-extension/src", "ohif-extension/build", "server/contract", "package-lock.json"];

/** The folder of the built bundles; built first where one of their sources is newer. */
export async function ensurePlugins({ say }: { say(line: string): void }): Promise<string> {
  const builtAt = existsSync(join(distFolder, "runtime.js")) ? (await stat(join(distFolder, "runtime.js"))).mtimeMs : 0;
  const changedAt = Math.max(...(await Promise.all(sources.map((path) => newest(join(root, path))))));
  if (builtAt >= changedAt) return distFolder;
  say("Building the OHIF extension.");
  // The bundler is there in a checkout only; a published package comes built.
  const { build } = await import("./build.ts");
  await build(distFolder);
  return distFolder;
}

async function newest(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return 0;
  if (!found.isDirectory()) return found.mtimeMs;
  const inside = await readdir(path, { recursive: true, withFileTypes: true });
  const files = inside.filter((entry) => entry.isFile()).map((entry) => stat(join(entry.parentPath, entry.name)));
  return Math.max(0, ...(await Promise.all(files)).map(({ mtimeMs }) => mtimeMs));
}
