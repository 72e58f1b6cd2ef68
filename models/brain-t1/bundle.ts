import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Figures } from "../card-fields.ts";
import { BRAIN_T1_CLASSES, BRAIN_T1_COMPOSITES, BRAIN_T1_PLANE_FROM } from "../labels/brain-t1-classes.ts";
import { LabelsManifest } from "../labels/manifest.ts";
import { WHOLE_T1_HEAD } from "../labels/t1-head.ts";
import { BRAIN_T1_INPUT, BRAIN_T1_OUTPUT } from "./graph.ts";

export const BRAIN_T1_UNET = { name: "brain-t1-unet", version: "1.0.0" } as const;

/** Of what training wrote down, the part that the program reads. */
const Provenance = z.object({ figures: z.array(Figures).readonly() });

/** What lies around the brain: the network's own label for the rest of the head. */
const REST_OF_HEAD = 18;

/**
 * Writes the network in the box into an empty folder that exists. The same version gives the same bytes.
 *
 * Its weights are this project's own, trained by the scripts beside this file: there is nothing to download.
 */
export async function buildBrainT1(folder: string): Promise<void> {
  const weights = await readFile(join(import.meta.dirname, "brain-t1.onnx"));
  const provenance = await readFile(join(import.meta.dirname, "provenance.json"));
  const { figures } = Provenance.parse(JSON.parse(provenance.toString("utf8")));
  const manifest = LabelsManifest.parse({
    schemaVersion: 1,
    engine: "labels",
    ...BRAIN_T1_UNET,
    title: "Brain structures on T1 MR (U-Net, trained by Parse3D)",
    description:
      "A small trained network (3D U-Net) that labels 17 structures of the brain, and the rest of the head, on T1-weighted " +
      "MR. It was trained on variations of two template heads of healthy adults, with the labels of another network " +
      "(MeshNet, brainchop) as its teacher: it can be no better than that, and is coarser on small structures. It gives no " +
      "probabilities. Left and right are told by a mid-sagittal plane fitted to its labels. Children, large lesions, " +
      "surgery, atrophy beyond the usual, contrast medium and non-T1 series were not what it was trained on.",
    intendedUse: "Research on T1-weighted MR of adult heads. Not for diagnosis or any clinical decision.",
    trained: true,
    algorithmFamily: "artificial-intelligence",
    ...WHOLE_T1_HEAD,
    licence: "MIT",
    nonCommercial: false,
    attribution:
      "Trained on Colin27 (ch2 of MRIcron) and the ICBM MNI152 template, with labels of MeshNet (neuroneural/brainchop, MIT).",
    figures,
    crop: { above: 0.1, marginVoxels: 4 },
    graph: { input: BRAIN_T1_INPUT, output: BRAIN_T1_OUTPUT },
    classes: BRAIN_T1_CLASSES,
    composites: [
      ...BRAIN_T1_COMPOSITES,
      {
        name: "head",
        synonyms: ["whole head", "skull and brain"],
        code: { value: "69536005", scheme: "SCT", meaning: "Head" },
        values: [...BRAIN_T1_CLASSES.map(({ value }) => value), REST_OF_HEAD],
      },
    ],
    surroundings: REST_OF_HEAD,
    sides: { rule: "midsagittal", planeFrom: BRAIN_T1_PLANE_FROM },
    opset: 20,
    exporter: { parse3d: BRAIN_T1_UNET.version },
    files: {
      graph: await put(folder, "labels.onnx", weights),
      provenance: await put(folder, "provenance.json", provenance),
    },
  } satisfies LabelsManifest);
  await writeFile(join(folder, "manifest.json"), `${JSON.stringify(manifest, undefined, 2)}\n`, { flag: "wx" });
}

async function put(folder: string, name: string, bytes: Uint8Array) {
  await writeFile(join(folder, name), bytes, { flag: "wx" });
  return { name, sha256: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.length };
}
