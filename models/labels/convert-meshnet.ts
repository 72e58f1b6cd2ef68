import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Figures } from "../card-fields.ts";
import { ModelBundleError } from "../errors.ts";
import { encodeModel } from "../onnx/model.ts";
import { writeChunks } from "../onnx/write-file.ts";
import { BRAIN_T1_CLASSES, BRAIN_T1_COMPOSITES, BRAIN_T1_PLANE_FROM, BRAINCHOP_LABELS } from "./brain-t1-classes.ts";
import { BRAINCHOP_LICENCE } from "./brainchop-licence.ts";
import { LabelsManifest } from "./manifest.ts";
import { MESHNET_INPUT, MESHNET_OUTPUT, meshNetGraph } from "./meshnet-graph.ts";
import { WHOLE_T1_HEAD } from "./t1-head.ts";
import { type MeshNetLayer, readMeshNet } from "./tfjs-layers.ts";

/** Version of every bundle that it makes. */
export const CONVERTER_VERSION = "1.0.2";

/**
 * Turns a folder of brainchop's (model.json, its weights, colormap.json: a T1 brain network of 18 classes) into a `labels`
 * bundle in an empty folder that exists. The same weights give the same bytes.
 *
 * @param options.name of the bundle; "brain-t1" where absent
 * @param options.figures how well these weights do, where that was measured
 * @throws ModelBundleError where a file is missing, damaged, or of another network
 */
export async function convertMeshNet(
  fromFolder: string,
  toFolder: string,
  { name = "brain-t1", figures }: { readonly name?: string; readonly figures?: readonly Figures[] | undefined } = {},
): Promise<void> {
  const layers = await readMeshNet(fromFolder);
  await checkLabels(fromFolder, layers);
  const licence = [new TextEncoder().encode(BRAINCHOP_LICENCE)];
  const manifest = LabelsManifest.parse({
    schemaVersion: 1,
    engine: "labels",
    name,
    version: CONVERTER_VERSION,
    title: "Brain structures on T1 MR (MeshNet, brainchop)",
    description:
      "A trained network (MeshNet, brainchop's weights) that labels 17 structures of the brain on T1-weighted MR of " +
      "the whole head. It gives no probabilities. Left and right are told by a mid-sagittal plane fitted to its labels, " +
      "not by the network. Heads with large lesions or after surgery, contrast-enhanced and non-T1 series were not " +
      "what it was trained on.",
    intendedUse: "Research on T1-weighted MR of adult heads. Not for diagnosis or any clinical decision.",
    trained: true,
    algorithmFamily: "artificial-intelligence",
    ...WHOLE_T1_HEAD,
    licence: "MIT",
    nonCommercial: false,
    attribution: "MeshNet weights: neuroneural/brainchop, MIT licence, copyright 2021 neuroneural/brainchop.",
    ...(figures && { figures }),
    crop: { above: 0.2, marginVoxels: 0 },
    graph: { input: MESHNET_INPUT, output: MESHNET_OUTPUT },
    classes: BRAIN_T1_CLASSES,
    composites: BRAIN_T1_COMPOSITES,
    sides: { rule: "midsagittal", planeFrom: BRAIN_T1_PLANE_FROM },
    opset: 20,
    exporter: { parse3d: CONVERTER_VERSION },
    files: {
      graph: await writeChunks(join(toFolder, "labels.onnx"), encodeModel(meshNetGraph(layers))),
      licence: await writeChunks(join(toFolder, "LICENCE.txt"), licence),
    },
  } satisfies LabelsManifest);
  await writeFile(join(toFolder, "manifest.json"), `${JSON.stringify(manifest, undefined, 2)}\n`, { flag: "wx" });
}

const ColorMap = z.object({ labels: z.array(z.string()) });

async function checkLabels(folder: string, layers: readonly MeshNetLayer[]): Promise<void> {
  const outputs = layers.findLast((layer) => layer.kind === "convolution")?.outChannels;
  if (outputs !== BRAINCHOP_LABELS.length)
    throw new ModelBundleError(
      "model.json",
      `has ${outputs} classes where this bundle names ${BRAINCHOP_LABELS.length}; use model30chan18cls or model18cls.`,
    );
  const text = await readFile(join(folder, "colormap.json"), "utf8").catch((cause: unknown) => {
    throw new ModelBundleError("colormap.json", "is not in the folder; it names the network's classes.", { cause });
  });
  const parsed = ColorMap.safeParse(safeJson(text));
  if (!parsed.success || parsed.data.labels.join() !== BRAINCHOP_LABELS.join())
    throw new ModelBundleError(
      "colormap.json",
      "names other classes than this bundle; use model30chan18cls or model18cls.",
    );
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
