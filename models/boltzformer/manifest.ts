import { BundleManifest } from "../contract.ts";
import { recommendedTargets } from "../vocabulary/recommended-targets.ts";
import type { RecommendedTarget } from "../vocabulary/target-group.ts";
import { OPSET } from "./graph.ts";
import { noiseDims } from "./image-features.ts";
import { MASK_STRIDE, type NetworkConfig, OFFICIAL_CONFIG } from "./network-config.ts";

/** Of the graph builder: other graphs from the same weights are another version. */
const BUILDER_VERSION = "1.1.1";

/** What the model card has targets for: DICOM's Modality values, and electron and light-sheet microscopy, which come as NIfTI. */
export const MODALITIES = ["CT", "MR", "US", "PT", "EM", "LSM"] as const;

export interface ManifestFacts {
  readonly config: NetworkConfig;
  readonly seed: number;
  readonly files: BundleManifest["files"];
  readonly golden: BundleManifest["golden"];
  readonly name: string | undefined;
  readonly phrasing: BundleManifest["phrasing"] | undefined;
}

export function boltzFormerManifest({ config, seed, files, golden, name, phrasing }: ManifestFacts): BundleManifest {
  const isOfficial = JSON.stringify(sorted(config)) === JSON.stringify(sorted(OFFICIAL_CONFIG));
  return BundleManifest.parse({
    schemaVersion: 1,
    engine: "bundle",
    version: BUILDER_VERSION,
    ...(isOfficial ? OFFICIAL_CARD : OTHER_CARD),
    ...(name === undefined ? {} : { name }),
    algorithmFamily: "artificial-intelligence",
    trained: isOfficial,
    modalities: MODALITIES,
    licence: "CC-BY-NC-SA-4.0",
    nonCommercial: true,
    vocabulary: "open",
    targets: isOfficial ? officialTargets() : [],
    // Not written where it is the rule: the same bundle keeps its sha256, and with it the keys of its results.
    ...(phrasing === "sentence" && { phrasing }),
    ...(files.weights[0] && { checkpointSha256: files.weights[0].sha256 }),
    opset: OPSET,
    exporter: { parse3d: BUILDER_VERSION },
    imageSize: config.imageSize,
    hiddenDim: config.hiddenDim,
    maskStride: MASK_STRIDE,
    contextLength: config.textContext,
    overlongPrompts: "cut",
    padding: "zeros-unmasked",
    channelOrder: ["current", "previous", "next"],
    endRule: "reflect",
    input: { dtype: "uint8" },
    resize: { in: -0.75, out: -0.5 },
    nearest: "corner",
    windows: { presets: WINDOWS, default: "soft-tissue" },
    percentiles: { low: 0.5, high: 99.5, positiveOnly: true },
    sliceAxis: "upstream",
    orientation: "LAS",
    sampling: {
      mode: "frozen",
      seed,
      noise: Array.from({ length: config.decoderLayers }, (_, layer) => noiseDims(config, layer)),
    },
    thresholds: { mask: 0.5, existence: 0.5, nmsIou: 0.5 },
    files,
    golden,
  } satisfies BundleManifest);
}

/** Upstream's windows by body part, HU. */
export const WINDOWS = {
  "soft-tissue": { width: 400, level: 40 },
  lung: { width: 1500, level: -160 },
  brain: { width: 80, level: 40 },
  bone: { width: 1800, level: 400 },
} as const;

const INTENDED_USE =
  "Research. Not for diagnosis or any clinical decision, not for data without consent, not for other than medical images.";

export const OFFICIAL_CARD = {
  name: "medimageparse3d",
  title: "MedImageParse 3D (BiomedParse v2)",
  description:
    "A trained network: it segments what a text names, slice by slice, in CT, MR, ultrasound, PET and 3D microscopy, and " +
    "says whether it is there at all. Targets outside the recommended list, findings in free text above all, are often " +
    "missed. Its sampling noise is frozen, so that the same question has the same answer.",
  intendedUse: INTENDED_USE,
  attribution:
    "Microsoft, BiomedParse v2 (CC-BY-NC-SA-4.0). Zhao et al., Nature Methods 2024, doi 10.1038/s41592-024-02499-w. " +
    "Results may not be used commercially.",
} as const;

const OTHER_CARD = {
  name: "boltzformer",
  title: "BoltzFormer network of its own sizes (not MedImageParse 3D)",
  description:
    "A network of MedImageParse 3D's build in other sizes. Nothing is known of how it was trained, or whether it was.",
  intendedUse: INTENDED_USE,
} as const;

/** The model card's list, each name once: what is in several modalities keeps all of its synonyms, and its CT window. */
export function officialTargets(): BundleManifest["targets"] {
  const byName = new Map<string, RecommendedTarget>();
  for (const target of MODALITIES.flatMap(recommendedTargets)) {
    const known = byName.get(target.name);
    const synonyms = [...new Set([...(known?.synonyms ?? []), ...target.synonyms])];
    byName.set(target.name, { ...target, ...known, synonyms });
  }
  return [...byName.values()].map(({ region: _, ...target }) => target);
}

function sorted(config: NetworkConfig): readonly (readonly [string, unknown])[] {
  return Object.entries(config).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
