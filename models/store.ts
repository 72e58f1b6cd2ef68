import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { BRAIN_T1_UNET, buildBrainT1 } from "./brain-t1/bundle.ts";
import { type InstalledModel, openBundle } from "./bundle.ts";
import { buildDensityCt, DENSITY_CT } from "./density-ct/build.ts";
import { ModelBundleError } from "./errors.ts";
import { copyWeights, downloadWeights } from "./fetch-weights.ts";
import { BRAINCHOP_URL, KNOWN_MODELS } from "./known-models.ts";
import { CONVERTER_VERSION, convertMeshNet } from "./labels/convert-meshnet.ts";

export interface PullOptions {
  /** A local folder with the weights, instead of the internet. */
  readonly from?: string | undefined;
  /** @param fraction of the download, 0 to 1 */
  readonly onProgress?: ((fraction: number, file: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A folder of the store that holds no model that can be run, and why. */
export interface BrokenModel {
  readonly folder: string;
  readonly error: ModelBundleError;
}

/** The models on this machine: one folder each. Several processes may use one store at once. */
export interface ModelStore {
  /** Those that can be run, by name. */
  list(): Promise<readonly InstalledModel[]>;
  /** `list`, and what lies in the store and cannot be run. */
  inspect(): Promise<{ readonly installed: readonly InstalledModel[]; readonly broken: readonly BrokenModel[] }>;
  /** Builds the models that need no download where they are absent, damaged, or of another version. */
  ensureBuiltIn(): Promise<{ readonly densityCt: InstalledModel; readonly brainT1: InstalledModel }>;
  /**
   * Installs a known model, or leaves it where it is already installed.
   * @throws ModelBundleError, ModelDownloadError, the signal's reason
   */
  pull(name: string, options?: PullOptions): Promise<InstalledModel>;
  /**
   * Installs a model that `build` makes in an empty folder: whole, or not at all. One of the same name is replaced.
   * @throws ModelBundleError where what was built cannot be run, and what `build` throws
   */
  add(name: string, build: (folder: string) => Promise<void>): Promise<InstalledModel>;
  /** @returns whether it was there */
  remove(name: string): Promise<boolean>;
}

interface BuiltIn {
  readonly name: string;
  readonly version: string;
}

/** Work in progress and rubbish have names that start with a dot: they are no models. */
const TEMPORARY = ".tmp-";
/** Older ones were left behind by a process that died. */
const ABANDONED_MS = 60 * 60 * 1000;

/** @param options.upstreamUrl where brainchop's folders are, in place of its own address */
export function openModelStore(folder: string, options: { readonly upstreamUrl?: string } = {}): ModelStore {
  const { upstreamUrl = BRAINCHOP_URL } = options;
  const folderOf = (name: string) => join(folder, name);

  async function inspect() {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map(({ name }) => name);
    const opened = await Promise.all(names.sort().map((name) => tryOpen(folderOf(name))));
    return {
      installed: opened.flatMap((one) => ("card" in one ? [one] : [])),
      broken: opened.flatMap((one) => ("error" in one ? [one] : [])),
    };
  }

  /** Builds in a folder of its own, then puts the whole under the model's name: nobody ever sees half a model. */
  async function install(name: string, build: (temporary: string) => Promise<void>): Promise<InstalledModel> {
    await mkdir(folder, { recursive: true });
    await removeAbandoned(folder);
    const temporary = join(folder, `${TEMPORARY}${randomUUID()}`);
    await mkdir(temporary);
    try {
      await build(temporary);
      const { card } = await openBundle(temporary);
      return await putInPlace(temporary, folderOf(name), card.sha256);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }

  return {
    inspect,
    list: async () => (await inspect()).installed,
    ensureBuiltIn: async () => {
      const ensure = async ({ name, version }: BuiltIn, build: (folder: string) => Promise<void>) => {
        const present = await tryOpen(folderOf(name));
        return "card" in present && present.card.version === version ? present : install(name, build);
      };
      const [densityCt, brainT1] = await Promise.all([
        ensure(DENSITY_CT, buildDensityCt),
        ensure(BRAIN_T1_UNET, buildBrainT1),
      ]);
      return { densityCt, brainT1 };
    },
    pull: async (name, { from, onProgress, signal } = {}) => {
      const known = KNOWN_MODELS.find((model) => model.name === name);
      if (known === undefined)
        throw new ModelBundleError(
          name,
          `is no known model; known are ${KNOWN_MODELS.map((model) => model.name).join(", ")}.`,
        );
      const present = await tryOpen(folderOf(name));
      if ("card" in present && present.card.version === CONVERTER_VERSION) return present;
      return install(name, async (temporary) => {
        const weights = join(temporary, "upstream");
        await mkdir(weights);
        if (from === undefined) await downloadWeights(known, weights, { upstreamUrl, onProgress, signal });
        else await copyWeights(known, from, weights);
        await convertMeshNet(weights, temporary, { name, figures: known.figures });
        await rm(weights, { recursive: true });
      });
    },
    add: async (name, build) => {
      if (!/^[a-z0-9][a-z0-9-]*$/.test(name))
        throw new ModelBundleError(name, "is no name for a model: small letters, digits and hyphens only.");
      return install(name, build);
    },
    remove: async (name) => {
      if (!/^[a-z0-9-]+$/.test(name)) return false;
      return moveAway(folderOf(name));
    },
  };

  /** Another process may do the same at the same moment: whoever comes second finds an equal model, and is content. */
  async function putInPlace(temporary: string, target: string, sha256: string): Promise<InstalledModel> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const moved = await rename(temporary, target).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code === "ENOTEMPTY" || error.code === "EEXIST") return false;
          throw error;
        },
      );
      if (moved) return openBundle(target);
      const present = await tryOpen(target);
      if ("card" in present && present.card.sha256 === sha256) return present;
      await moveAway(target);
    }
    throw new ModelBundleError(target, "is changed by another process again and again; stop it and try once more.");
  }

  /** Out of sight in one step, then removed. */
  async function moveAway(target: string): Promise<boolean> {
    const rubbish = join(folder, `${TEMPORARY}${randomUUID()}`);
    const moved = await rename(target, rubbish).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return false;
        throw error;
      },
    );
    if (moved) await rm(rubbish, { recursive: true, force: true });
    return moved;
  }
}

async function tryOpen(folder: string): Promise<InstalledModel | BrokenModel> {
  try {
    return await openBundle(folder);
  } catch (error) {
    if (error instanceof ModelBundleError) return { folder, error };
    throw error;
  }
}

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(TEMPORARY)) continue;
    const entry = await stat(join(folder, name)).catch(() => undefined);
    if (entry !== undefined && Date.now() - entry.mtimeMs > ABANDONED_MS)
      await rm(join(folder, name), { recursive: true, force: true });
  }
}
