import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClipTokenizer } from "../clip/clip-tokenizer.ts";
import { BundleManifest } from "../contract.ts";
import { encodeModel } from "../onnx/model.ts";
import { writeChunks } from "../onnx/write-file.ts";
import { goldenSample } from "./golden.ts";
import { imageGraph } from "./image-graph.ts";
import { buildLexicon } from "./lexicon.ts";
import { DENSITY_RULES, DENSITY_WINDOW, HU_PER_LEVEL } from "./rules.ts";
import { textGraph } from "./text-graph.ts";

export const DENSITY_CT = { name: "density-ct", version: "1.0.1" } as const;

const IMAGE_SIZE = 512;
const CONTEXT_LENGTH = 77;

/**
 * Writes the built-in bundle into an empty folder that exists. The same version gives the same bytes.
 *
 * It answers a few words about density by fixed HU ranges, through the same contract as a trained network: it proves an
 * installation, and claims nothing beyond.
 */
export async function buildDensityCt(folder: string): Promise<void> {
  const tokenizer = createClipTokenizer({ contextLength: CONTEXT_LENGTH });
  const lexicon = buildLexicon(tokenizer);
  const text = encodeModel(textGraph(lexicon, CONTEXT_LENGTH));
  const image = encodeModel(imageGraph(lexicon, IMAGE_SIZE));
  const manifest = BundleManifest.parse({
    schemaVersion: 1,
    engine: "bundle",
    ...DENSITY_CT,
    title: "CT density rules (not a trained network)",
    description:
      `Density rules, not a trained network: fixed ranges of Hounsfield units, in steps of ${HU_PER_LEVEL} HU, for ` +
      `${DENSITY_RULES.map(({ name }) => name).join(", ")}. It knows no organs, no sides and no lesions: any other word ` +
      "is answered as not present. Lung means aerated lung and everything else of that density; bone means everything " +
      "of its density, contrast medium too; body means everything denser than lung, the table too.",
    intendedUse:
      "Checks that an installation works from end to end, and coarse masks by density for research. " +
      "Not for diagnosis or any clinical decision.",
    trained: false,
    algorithmFamily: "density-rules",
    modalities: ["CT"],
    licence: "MIT",
    nonCommercial: false,
    vocabulary: "open",
    targets: DENSITY_RULES.map(({ name, synonyms, code }) => ({
      name,
      synonyms,
      ...(code === undefined ? {} : { code }),
    })),
    opset: 20,
    exporter: { parse3d: DENSITY_CT.version },
    imageSize: IMAGE_SIZE,
    hiddenDim: lexicon.features,
    maskStride: 1,
    contextLength: CONTEXT_LENGTH,
    overlongPrompts: "refuse",
    padding: "zeros-unmasked",
    channelOrder: ["current", "previous", "next"],
    endRule: "reflect",
    input: { dtype: "uint8" },
    resize: { in: -0.75, out: -0.5 },
    nearest: "centre",
    windows: { presets: { density: DENSITY_WINDOW }, default: "density" },
    percentiles: { low: 0.5, high: 99.5, positiveOnly: true },
    sliceAxis: "upstream",
    orientation: "any",
    sampling: { mode: "none" },
    thresholds: { mask: 0.5, existence: 0.5, nmsIou: 0.5 },
    files: {
      textEncoder: await writeChunks(join(folder, "text_encoder.onnx"), text),
      imageModel: await writeChunks(join(folder, "image_model.onnx"), image),
      weights: [],
    },
    golden: goldenSample(tokenizer, IMAGE_SIZE),
  } satisfies BundleManifest);
  await writeFile(join(folder, "manifest.json"), `${JSON.stringify(manifest, undefined, 2)}\n`, { flag: "wx" });
}
