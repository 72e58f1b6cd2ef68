import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Figures } from "../card-fields.ts";
import { ModelBundleError } from "../errors.ts";
import { encodeModel } from "../onnx/model.ts";
import { writeChunks } from "../onnx/write-file.ts";
import { BRAINCHOP_LICENCE } from "./brainchop-licence.ts";
import { LabelsManifest } from "./manifest.ts";
import { MESHNET_INPUT, MESHNET_OUTPUT, meshNetGraph } from "./meshnet-graph.ts";
import { MESHNETS, type MeshNetKind } from "./meshnets.ts";
import { WHOLE_T1_HEAD } from "./t1-head.ts";
import { type MeshNetLayer, readMeshNet } from "./tfjs-layers.ts";

/** Version of every bundle that it makes. */
export const CONVERTER_VERSION = "1.0.2";

/**
 * Turns a folder of brainchop's (model.json, its weights, a colour map that names its classes: one of the T1 brain networks in
 * meshnets.ts) into a `labels` bundle in an empty folder that exists. The same weights give the same bytes.
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
  const { title, labelling, sidesToldBy, classes, composites, sides } = await kindOf(fromFolder, layers);
  const licence = [new TextEncoder().encode(BRAINCHOP_LICENCE)];
  const manifest = LabelsManifest.parse({
    schemaVersion: 1,
    engine: "labels",
    name,
    version: CONVERTER_VERSION,
    title,
    description:
      `A trained network (MeshNet, brainchop's weights) that ${labelling}. It gives no probabilities. ${sidesToldBy} ` +
      "Heads with large lesions or after surgery, contrast-enhanced and non-T1 series were not what it was trained on.",
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
    classes,
    composites,
    sides,
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

/** Told by how many classes there are, and by their names in upstream's colour map. */
async function kindOf(folder: string, layers: readonly MeshNetLayer[]): Promise<MeshNetKind> {
  const outputs = layers.findLast((layer) => layer.kind === "convolution")?.outChannels;
  const kind = MESHNETS.find(({ labels }) => labels.length === outputs);
  if (!kind)
    throw new ModelBundleError(
      "model.json",
      `has ${outputs} classes, which no known network has; use ${MESHNETS.map(({ folders }) => folders).join(", ")}.`,
    );
  const { colorMap, labels, folders } = kind;
  const text = await readFile(join(folder, colorMap), "utf8").catch((cause: unknown) => {
    throw new ModelBundleError(colorMap, "is not in the folder; it names the network's classes.", { cause });
  });
  const parsed = ColorMap.safeParse(safeJson(text));
  if (!parsed.success || parsed.data.labels.join() !== labels.join())
    throw new ModelBundleError(colorMap, `names other classes than this bundle; use ${folders}.`);
  return kind;
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
