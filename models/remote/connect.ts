import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MODALITIES, OFFICIAL_CARD, officialTargets, WINDOWS } from "../boltzformer/manifest.ts";
import type { InstalledBundle } from "../bundle.ts";
import { AzureMlManifest } from "./azure-ml-manifest.ts";
import { OpenInferenceManifest } from "./open-inference-manifest.ts";

export interface AzureMlConnection {
  readonly name: string;
  /** The endpoint's scoring URI. */
  readonly url: string;
  readonly deployment?: string | undefined;
}

/**
 * Writes the manifest of MedImageParse 3D behind an Azure ML online endpoint. How the endpoint wants its images is documented
 * nowhere in full: grey levels in upstream's windows, on the axes of upstream's example (docs/engines.md).
 * @throws z.ZodError where the address is none that images may be sent to
 */
export async function connectAzureMl({ name, url, deployment }: AzureMlConnection, folder: string): Promise<void> {
  const { title, description, intendedUse } = OFFICIAL_CARD;
  const manifest = AzureMlManifest.parse({
    schemaVersion: 1,
    engine: "azure-ml",
    name,
    version: "1.0.0",
    title: `${title}, computed by Azure ML`,
    description: `${description} It is computed elsewhere: grey levels and the words of prompts leave this machine.`,
    intendedUse,
    trained: true,
    algorithmFamily: "artificial-intelligence",
    modalities: MODALITIES,
    licence: "MIT (Azure ML asset)",
    nonCommercial: false,
    attribution: "Microsoft, MedImageParse 3D. Zhao et al., Nature Methods 2024, doi 10.1038/s41592-024-02499-w.",
    vocabulary: "open",
    targets: officialTargets(),
    endpoint: {
      url,
      ...(deployment !== undefined && { deployment }),
      timeoutSeconds: 300,
      attempts: 4,
      maxRequestBytes: 200_000_000,
    },
    orientation: "LAS",
    windows: { presets: WINDOWS, default: "soft-tissue" },
    percentiles: { low: 0.5, high: 99.5, positiveOnly: true },
  } satisfies AzureMlManifest);
  await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest, undefined, 1));
}

export interface OpenInferenceConnection {
  readonly name: string;
  /** Root of the server, before `/v2`. */
  readonly url: string;
  /** What the server calls the two graphs. */
  readonly textEncoder: string;
  readonly imageModel: string;
}

/** Writes the manifest of an installed bundle whose graphs a server of the Open Inference Protocol computes. */
export async function connectOpenInference(
  { manifest: bundle, folder: from }: InstalledBundle,
  { name, url, textEncoder, imageModel }: OpenInferenceConnection,
  folder: string,
): Promise<void> {
  const { tokenizer } = bundle.files;
  const manifest = OpenInferenceManifest.parse({
    schemaVersion: 1,
    engine: "open-inference",
    name,
    server: {
      url,
      textEncoder: { name: textEncoder },
      imageModel: { name: imageModel },
      slicesPerRequest: 4,
      parallel: 4,
      timeoutSeconds: 120,
      attempts: 4,
    },
    bundle,
    files: { ...(tokenizer && { tokenizer }) },
  } satisfies OpenInferenceManifest);
  if (tokenizer) await copyFile(join(from, tokenizer.name), join(folder, tokenizer.name));
  await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest, undefined, 1));
}
