import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import type { FileRef } from "./card-fields.ts";
import { BundleManifest } from "./contract.ts";
import { ModelBundleError } from "./errors.ts";
import { labelTargets } from "./labels/label-targets.ts";
import { LabelsManifest } from "./labels/manifest.ts";
import type { ModelCard, Target } from "./model-card.ts";
import { AzureMlManifest } from "./remote/azure-ml-manifest.ts";
import { OpenInferenceManifest } from "./remote/open-inference-manifest.ts";
import { phrasesOf } from "./vocabulary/sent-phrase.ts";

/** A model on this machine whose files are all there. */
export type InstalledModel = InstalledBundle | InstalledLabels | InstalledAzureMl | InstalledOpenInference;

export interface InstalledBundle {
  readonly engine: "bundle";
  readonly card: ModelCard;
  /** Absolute or as given to openBundle; every file of the manifest lies directly in it. */
  readonly folder: string;
  readonly manifest: BundleManifest;
}

export interface InstalledLabels {
  readonly engine: "labels";
  readonly card: ModelCard;
  readonly folder: string;
  readonly manifest: LabelsManifest;
}

/** A model that an online endpoint computes. */
export interface InstalledAzureMl {
  readonly engine: "azure-ml";
  readonly card: ModelCard;
  readonly folder: string;
  readonly manifest: AzureMlManifest;
}

/** A bundle whose graphs a server computes. */
export interface InstalledOpenInference {
  readonly engine: "open-inference";
  readonly card: ModelCard;
  readonly folder: string;
  readonly manifest: OpenInferenceManifest;
}

type Manifest = BundleManifest | LabelsManifest | AzureMlManifest | OpenInferenceManifest;

const MANIFESTS = {
  bundle: BundleManifest,
  labels: LabelsManifest,
  "azure-ml": AzureMlManifest,
  "open-inference": OpenInferenceManifest,
} as const satisfies Record<InstalledModel["engine"], z.ZodType<Manifest>>;

const MANIFEST_LIMIT_BYTES = 4 * 2 ** 20;
/** Files up to this size are hashed whenever a bundle is opened; larger ones only where `verify` asks for it. */
const QUICK_HASH_BYTES = 64 * 2 ** 20;

/**
 * Reads a bundle's manifest and checks that its files are there and unchanged. Reads nothing outside `folder`: names are
 * plain, and links are refused.
 *
 * @param options.verify also hash the large files (weights)
 * @throws ModelBundleError that names the file and says what to do
 */
export async function openBundle(folder: string, options: { readonly verify?: boolean } = {}): Promise<InstalledModel> {
  const bytes = await readManifest(folder);
  const manifest = parseManifest(bytes);
  for (const file of filesOf(manifest)) await checkFile(folder, file, options.verify ?? false);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  switch (manifest.engine) {
    case "bundle":
      return { engine: "bundle", folder, manifest, card: textCard(manifest, manifest.engine, sha256) };
    case "labels":
      return { engine: "labels", folder, manifest, card: labelsCard(manifest, sha256) };
    case "azure-ml":
      return { engine: "azure-ml", folder, manifest, card: textCard(manifest, manifest.engine, sha256) };
    case "open-inference": {
      const card = { ...textCard(manifest.bundle, manifest.engine, sha256), name: manifest.name };
      return { engine: "open-inference", folder, manifest, card };
    }
    default:
      return manifest satisfies never;
  }
}

/** Every file that the manifest lists. */
function filesOf(manifest: Manifest): readonly FileRef[] {
  switch (manifest.engine) {
    case "bundle": {
      const { textEncoder, imageModel, imageEncoder, promptDecoder, tokenizer, weights } = manifest.files;
      const optional = [imageEncoder, promptDecoder, tokenizer].filter((file) => file !== undefined);
      return [textEncoder, imageModel, ...optional, ...weights];
    }
    case "labels":
      return Object.values(manifest.files).filter((file) => file !== undefined);
    case "azure-ml":
      return [];
    case "open-inference":
      return manifest.files.tokenizer === undefined ? [] : [manifest.files.tokenizer];
    default:
      return manifest satisfies never;
  }
}

async function readManifest(folder: string): Promise<Uint8Array> {
  const size = await sizeOf(folder, "manifest.json");
  if (size > MANIFEST_LIMIT_BYTES)
    throw new ModelBundleError(
      "manifest.json",
      `is ${size} bytes long, which no manifest needs; install the model again.`,
    );
  return readFile(join(folder, "manifest.json"));
}

function parseManifest(bytes: Uint8Array): Manifest {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ModelBundleError("manifest.json", "is not JSON; install the model again.", { cause });
  }
  const engine = z.looseObject({ engine: z.enum(Object.keys(MANIFESTS) as InstalledModel["engine"][]) });
  const parsed = MANIFESTS[engine.safeParse(document).data?.engine ?? "bundle"].safeParse(document);
  if (parsed.success) return parsed.data;
  throw new ModelBundleError(
    "manifest.json",
    `does not meet the bundle contract (schemaVersion 1); install the model again, or correct it:\n${z.prettifyError(parsed.error)}`,
    { cause: parsed.error },
  );
}

async function checkFile(folder: string, file: FileRef, verify: boolean): Promise<void> {
  const size = await sizeOf(folder, file.name);
  if (size !== file.bytes)
    throw new ModelBundleError(file.name, `is ${size} bytes long instead of ${file.bytes}; install the model again.`);
  if (!verify && size > QUICK_HASH_BYTES) return;
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(join(folder, file.name))) hash.update(chunk as Uint8Array);
  if (hash.digest("hex") !== file.sha256)
    throw new ModelBundleError(file.name, "differs from the manifest's sha256; install the model again.");
}

async function sizeOf(folder: string, name: string): Promise<number> {
  const entry = await lstat(join(folder, name)).catch((cause: NodeJS.ErrnoException) => {
    throw new ModelBundleError(
      name,
      cause.code === "ENOENT"
        ? `is missing from the model's folder "${basename(folder)}"; install the model again.`
        : `cannot be read (${cause.code}); check the folder's permissions.`,
      { cause },
    );
  });
  if (!entry.isFile())
    throw new ModelBundleError(name, "is not a plain file; put the file itself into the folder (a hard link is one).");
  return entry.size;
}

function textCard(
  manifest: BundleManifest | AzureMlManifest,
  engine: Exclude<InstalledModel["engine"], "labels">,
  sha256: string,
): ModelCard {
  const { vocabulary, modalities } = manifest;
  const card = { ...cardOf(manifest, sha256), engine, vocabulary };
  if (manifest.engine !== "bundle" || manifest.phrasing !== "sentence") {
    return { ...card, targets: manifest.targets.map(cardTarget) };
  }
  const targets = manifest.targets.map((target): Target => {
    const phrases = phrasesOf(target.name, modalities);
    return { ...cardTarget(target), ...(phrases && { phrases }) };
  });
  return { ...card, targets, phrasing: manifest.phrasing };
}

function labelsCard(manifest: LabelsManifest, sha256: string): ModelCard {
  const targets = labelTargets(manifest).map(
    ({ sides, ...target }): Target => ({ ...cardTarget(target), ...(sides.rule !== "none" && { sided: true }) }),
  );
  return { ...cardOf(manifest, sha256), engine: "labels", vocabulary: "closed", targets };
}

/** Of a target, what a user is told. */
function cardTarget({ name, synonyms, code }: Target): Target {
  return { name, synonyms, ...(code && { code }) };
}

function cardOf(manifest: BundleManifest | LabelsManifest | AzureMlManifest, sha256: string) {
  const { name, version, title, description, trained, algorithmFamily } = manifest;
  const { modalities, licence, nonCommercial, intendedUse, figures } = manifest;
  const about = { name, version, sha256, title, description, trained, algorithmFamily };
  return { ...about, modalities, licence, nonCommercial, intendedUse, ...(figures && { figures }) };
}
