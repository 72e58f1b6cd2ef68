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

/** A model on this machine whose files are all there. */
export type InstalledModel = InstalledBundle | InstalledLabels;

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
  return manifest.engine === "bundle"
    ? { engine: "bundle", folder, manifest, card: bundleCard(manifest, sha256) }
    : { engine: "labels", folder, manifest, card: labelsCard(manifest, sha256) };
}

/** Every file that the manifest lists. */
function filesOf(manifest: BundleManifest | LabelsManifest): readonly FileRef[] {
  if (manifest.engine === "labels")
    return [manifest.files.graph, ...(manifest.files.licence === undefined ? [] : [manifest.files.licence])];
  const { textEncoder, imageModel, tokenizer, weights } = manifest.files;
  return [textEncoder, imageModel, ...(tokenizer === undefined ? [] : [tokenizer]), ...weights];
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

function parseManifest(bytes: Uint8Array): BundleManifest | LabelsManifest {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ModelBundleError("manifest.json", "is not JSON; install the model again.", { cause });
  }
  const isLabels =
    typeof document === "object" && document !== null && "engine" in document && document.engine === "labels";
  const parsed = (isLabels ? LabelsManifest : BundleManifest).safeParse(document);
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

function bundleCard(manifest: BundleManifest, sha256: string): ModelCard {
  const { vocabulary } = manifest;
  return { ...cardOf(manifest, sha256), engine: "bundle", vocabulary, targets: manifest.targets.map(cardTarget) };
}

function labelsCard(manifest: LabelsManifest, sha256: string): ModelCard {
  const targets = labelTargets(manifest).map(cardTarget);
  return { ...cardOf(manifest, sha256), engine: "labels", vocabulary: "closed", targets };
}

/** Of a target, what a user is told. */
function cardTarget({ name, synonyms, code }: Target): Target {
  return { name, synonyms, ...(code && { code }) };
}

function cardOf(manifest: BundleManifest | LabelsManifest, sha256: string) {
  const { name, version, title, description, trained, algorithmFamily } = manifest;
  const { modalities, licence, nonCommercial, intendedUse } = manifest;
  const about = { name, version, sha256, title, description, trained, algorithmFamily };
  return { ...about, modalities, licence, nonCommercial, intendedUse };
}
