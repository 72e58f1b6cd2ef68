import { join } from "node:path";
import { downloadFromHub, MEDIMAGEPARSE3D_CHECKPOINT } from "#models/index.ts";
import { readConfig } from "../config.ts";
import { ensureDataFolder } from "../data-folder.ts";
import { askConsent, installWeights } from "./add-model.ts";
import type { CommandContext } from "./command.ts";

export interface PullModelOptions {
  readonly from?: string;
  readonly acceptLicence?: boolean;
  readonly config?: string;
  readonly phrasing?: "as-typed" | "sentence";
}

export const CHECKPOINT_MODEL = "medimageparse3d";

/** The official checkpoint from the hub, or from a folder, to an installed bundle. What was downloaded in part is kept. */
export async function pullCheckpoint(options: PullModelOptions, context: CommandContext): Promise<void> {
  const { terminal, signal } = context;
  await askConsent(options.acceptLicence === true, context);
  const { config, phrasing } = options;
  const asModel = { name: CHECKPOINT_MODEL, ...(config && { config }), ...(phrasing && { phrasing }) };
  if (options.from) {
    await installWeights(join(options.from, MEDIMAGEPARSE3D_CHECKPOINT.path), asModel, context);
    return;
  }
  const { dataFolder, hub } = readConfig();
  await ensureDataFolder(dataFolder);
  const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(2);
  const { path, sha256 } = await download();
  // The bundle has a link to it from then on: the download's own name is given up.
  await installWeights(path, { ...asModel, move: true }, context, sha256);

  async function download() {
    using watch = terminal.watch(signal);
    return downloadFromHub(MEDIMAGEPARSE3D_CHECKPOINT, {
      folder: join(dataFolder, "downloads"),
      hubUrl: hub.url,
      signal,
      onProgress: (bytes, total) =>
        watch.progress("fetch", bytes / total, `${gigabytes(bytes)}/${gigabytes(total)} GB`),
      ...(hub.token !== undefined && { token: hub.token }),
    });
  }
}
