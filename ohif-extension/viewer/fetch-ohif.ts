import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { compressFolder } from "./compress-folder.ts";
import { ViewerUnavailableError } from "./errors.ts";
import type { OhifRelease } from "./ohif-release.ts";

const run = promisify(execFile);

/** What a radiology viewer does without: speech-to-segmentation networks, pathology slides, source maps. */
const leftOut = ["package/dist/ort", "package/dist/dicom-microscopy-viewer", "*.map"];

export interface FetchOptions {
  /** Kept from one start to the next; each release has its own folder in it. */
  readonly cacheFolder: string;
  readonly signal: AbortSignal;
  say(line: string): void;
}

/**
 * The folder of a release's files, each text and WebAssembly file with a gzipped copy beside it. Fetched through npm's own
 * client the first time (50 MB), and used only where its checksum is the one that is written in this repository.
 * @throws ViewerUnavailableError
 */
export async function fetchOhif(release: OhifRelease, { cacheFolder, signal, say }: FetchOptions): Promise<string> {
  const { version } = release;
  const folder = join(cacheFolder, `ohif-${version}`);
  if (existsSync(folder)) return folder;
  say(`Fetching the OHIF viewer ${version} (50 MB, this once).`);
  await mkdir(cacheFolder, { recursive: true });
  const work = await mkdtemp(join(cacheFolder, "fetching-"));
  try {
    const tarball = await pack(version, work, signal);
    await verify(tarball, release);
    const files = join(work, "files");
    await mkdir(files);
    const excludes = leftOut.map((pattern) => `--exclude=${pattern}`);
    await run("tar", ["-xzf", tarball, "-C", files, "--strip-components=2", ...excludes, "package/dist"], { signal });
    await compressFolder(files, signal);
    // Another process may have been faster: its folder is as good as ours.
    await rename(files, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function pack(version: string, into: string, signal: AbortSignal): Promise<string> {
  const name = `@ohif/app@${version}`;
  try {
    await run("npm", ["pack", name, "--silent", "--pack-destination", into], { cwd: into, signal });
  } catch (cause) {
    signal.throwIfAborted();
    throw new ViewerUnavailableError(
      `npm could not fetch ${name}. Is the registry reachable that "npm config get registry" shows? Then start again.`,
      { cause },
    );
  }
  const tarball = (await readdir(into)).find((file) => file.endsWith(".tgz"));
  if (!tarball) throw new ViewerUnavailableError(`npm pack ${name} left no file.`);
  return join(into, tarball);
}

async function verify(tarball: string, { version, integrity }: OhifRelease): Promise<void> {
  const found = `sha512-${createHash("sha512")
    .update(await readFile(tarball))
    .digest("base64")}`;
  if (found !== integrity) {
    throw new ViewerUnavailableError(
      `The registry's @ohif/app ${version} is not the file that Parse3D was tested with: expected ${integrity}, found ${found}.`,
    );
  }
}
