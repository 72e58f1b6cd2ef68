/**
 * bin/with-node24 bin/write-viewer.ts FOLDER [CACHE]
 * OHIF with the panel as files for any web server: the ready build, its app-config.js and the plugins. The archive and the
 * server are expected on the same origin (deploy/viewer/default.conf.template).
 */
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensurePlugins } from "../ohif-extension/build/ensure-plugins.ts";
import { appConfig, paths } from "../ohif-extension/viewer/app-config.ts";
import { compressFolder } from "../ohif-extension/viewer/compress-folder.ts";
import { fetchOhif } from "../ohif-extension/viewer/fetch-ohif.ts";
import { ohifRelease } from "../ohif-extension/viewer/ohif-release.ts";

const [folder, cache] = process.argv.slice(2);
if (folder === undefined) throw new Error("Name the folder: bin/write-viewer.ts FOLDER [CACHE]");

const signal = AbortSignal.timeout(30 * 60_000);
const say = (line: string) => process.stderr.write(`${line}\n`);
const cacheFolder = cache ?? (await mkdtemp(join(tmpdir(), "parse3d-ohif-")));
try {
  await cp(await fetchOhif(ohifRelease(), { cacheFolder, signal, say }), folder, { recursive: true });
  await cp(await ensurePlugins({ say }), join(folder, paths.plugins), { recursive: true });
  await writeFile(join(folder, paths.config), appConfig);
  // A web server that prefers gzipped copies would send those of OHIF's own settings.
  await rm(join(folder, `${paths.config}.gz`), { force: true });
  await compressFolder(join(folder, paths.plugins), signal);
} finally {
  if (cache === undefined) await rm(cacheFolder, { recursive: true, force: true });
}
