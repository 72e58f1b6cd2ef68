import { readdir, readFile, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

const compress = promisify(gzip);

const compressible = new Set([".css", ".html", ".js", ".json", ".mjs", ".svg", ".wasm"]);

/** Puts a gzipped copy (FILE.gz) beside every file that gets smaller by it. */
export async function compressFolder(folder: string, signal: AbortSignal): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    signal.throwIfAborted();
    if (!entry.isFile() || !compressible.has(extname(entry.name))) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    if (bytes.length > 1024) await writeFile(`${path}.gz`, await compress(bytes, { level: 6 }));
  }
}
