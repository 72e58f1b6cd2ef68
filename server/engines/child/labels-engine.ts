import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { UnsupportedSeriesError } from "#converters/errors.ts";
import {
  determinant,
  resampleTrilinear,
  type Vec3,
  type VolumeGeometry,
  type Voxels,
  voxelSizeMm,
} from "#converters/geometry/index.ts";
import { type InstalledLabels, type LabelsManifest, labelTargets } from "#models/index.ts";
import { askedLabels } from "../label-questions.ts";
import type { Begin, Load, VolumeHeader } from "../protocol.ts";
import { boxAbove, boxSize, conformedGrid, cutBox, placeBox, takeBack } from "./conformed-grid.ts";
import type { ChildEngine, Reply } from "./engine.ts";
import { claimLabels, type LabelClaim, SIDES } from "./label-claims.ts";
import { keepOrgan, type LabelMap, refineLabels } from "./label-map.ts";
import { type OnnxRuntime, openOnnxRuntime, outputOf } from "./onnx-runtime.ts";
import { packPlane } from "./pack-plane.ts";

/**
 * Runs a network with a fixed list of classes once for each volume, and answers every question from its label map.
 * The session lives for one run only: onnxruntime keeps a gigabyte of scratch memory for as long as it does.
 */
export async function openLabelsEngine({ folder, manifest }: InstalledLabels, load: Load): Promise<ChildEngine> {
  const runtime = await openOnnxRuntime(load);
  const graphFile = join(folder, manifest.files.graph.name);
  const targets = labelTargets(manifest);
  let prepared: { readonly key: string; readonly map: LabelMap } | undefined;

  return {
    provider: runtime.provider,
    check({ volume, prompts }) {
      for (const { text } of prompts) askedLabels(text, targets);
      checkExtent(volume, manifest);
    },
    needsVoxels: ({ volume }) => prepared?.key !== volume.key,
    async prepare({ volume }, voxels, reply) {
      prepared = undefined;
      prepared = { key: volume.key, map: await mapLabels(voxels, volume, manifest, runtime, graphFile, reply) };
    },
    async answer(question, reply) {
      if (!prepared) throw new Error("no volume was prepared");
      const { map } = prepared;
      await reply.progress("prepare", 1);
      await reply.progress("infer", shareOfNetwork);
      const coarse = coarseNote(question.volume, manifest);
      if (coarse !== undefined) await reply.note(coarse);
      const asked = question.prompts.map(({ text }) => askedLabels(text, targets));
      if (!map.sides && asked.some(({ side }) => side !== undefined)) throw sidesUnknown();
      const claims = claimLabels(asked, question.merge);
      for (const [p, { id }] of question.prompts.entries()) {
        await answerPrompt(id, claims[p]!, map, question, reply);
        await reply.progress("infer", shareOfNetwork + ((1 - shareOfNetwork) * (p + 1)) / question.prompts.length);
      }
    },
  };
}

/** Of the stage "infer", the part that the network takes. */
const shareOfNetwork = 0.95;

/** Conform, normalise, crop, run, and back to the volume's own grid. */
async function mapLabels(
  voxels: Voxels,
  { size, ijkToLps, modality, unit }: VolumeHeader,
  manifest: LabelsManifest,
  runtime: OnnxRuntime,
  graphFile: string,
  reply: Reply,
): Promise<LabelMap> {
  const geometry: VolumeGeometry = { size, ijkToLps, frameOfReferenceUid: "" };
  const grid = conformedGrid(geometry, manifest.conform);
  await reply.progress("prepare", 0.4);
  if (voxels instanceof Float32Array || voxels instanceof Float64Array) fillHoles(voxels, manifest.conform.outside);
  const values = resampleTrilinear({ geometry, voxels, modality, unit, sources: [] }, grid, manifest.conform.outside);
  normalise(values, manifest.normalise.to);
  const box = boxAbove(values, grid.size, manifest.crop.above, manifest.crop.marginVoxels);
  if (!box) throw notTheOrgan(manifest);
  const cut = cutBox(values, grid.size, box);
  await reply.progress("prepare", 1);
  await reply.progress("infer", 0);
  const labels = placeBox(await runNetwork(cut, boxSize(box), manifest, runtime, graphFile), grid.size, box);
  const organ = keepOrgan(labels, grid.size, manifest.surroundings);
  checkVolume(organ.voxels * Math.abs(determinant(grid.ijkToLps)), manifest);
  const { labels: refined, sides } = refineLabels(organ.labels, grid, manifest);
  return {
    labels: takeBack(refined, grid, geometry),
    ...(sides && { sides: takeBack(sides, grid, geometry) }),
  };
}

/** Voxels that are no finite numbers (a masked head's background) become what lies outside the image. */
function fillHoles(voxels: Float32Array | Float64Array, outside: number): void {
  for (let n = 0; n < voxels.length; n++) if (!Number.isFinite(Math.fround(voxels[n]!))) voxels[n] = outside;
}

async function runNetwork(
  values: Float32Array,
  [ni, nj, nk]: Vec3,
  { graph }: LabelsManifest,
  runtime: OnnxRuntime,
  graphFile: string,
): Promise<Uint8Array> {
  const session = await runtime.open(graphFile);
  try {
    const input = new Tensor(graph.input.dtype, values, [1, 1, nk, nj, ni]);
    const outputs = await session.run({ [graph.input.name]: input });
    return outputOf(outputs, graph.output.name, Uint8Array, values.length);
  } finally {
    await session.release();
  }
}

/** Smallest and largest value become `to`; a flat image becomes its lower end. */
function normalise(values: Float32Array, [low, high]: readonly [number, number]): void {
  let [smallest, largest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let n = 0; n < values.length; n++) {
    const value = values[n]!;
    if (value < smallest) smallest = value;
    if (value > largest) largest = value;
  }
  const factor = largest > smallest ? (high - low) / (largest - smallest) : 0;
  for (let n = 0; n < values.length; n++) values[n] = low + (values[n]! - smallest) * factor;
}

async function answerPrompt(
  promptId: string,
  claim: LabelClaim,
  { labels, sides }: LabelMap,
  { volume: { size }, probabilities }: Begin,
  reply: Reply,
): Promise<void> {
  const pixels = size[0] * size[1];
  const mask = new Uint8Array(pixels);
  for (let k = 0; k < size[2]; k++) {
    let count = 0;
    for (let p = 0, n = k * pixels; p < pixels; p++, n++) {
      const inside = claim[labels[n]! * SIDES + (sides ? sides[n]! : 0)]!;
      mask[p] = inside;
      count += inside;
    }
    if (count === 0) continue;
    const probability = probabilities && mask.map((inside) => 255 * inside);
    const plane = { promptId, axis: 2 as const, index: k, existence: null, bits: packPlane(mask) };
    await reply.planes([{ ...plane, ...(probability && { probability }) }]);
  }
}

function checkExtent({ size, ijkToLps }: VolumeHeader, manifest: LabelsManifest): void {
  const spacing = voxelSizeMm(ijkToLps);
  const extents = size.map((voxels, axis) => voxels * spacing[axis]!);
  if (extents.every((extent) => extent >= manifest.accepts.minimumExtentMm)) return;
  throw new UnsupportedSeriesError(
    "unsupported-object",
    `${manifest.accepts.refusal} This one measures ${extents.map((extent) => extent.toFixed(0)).join(" x ")} mm; at least ${manifest.accepts.minimumExtentMm} mm along each axis are needed.`,
    { extentMm: extents },
  );
}

/** @throws UnsupportedSeriesError where what was labelled cannot be the organ that the network knows */
function checkVolume(volumeMm3: number, manifest: LabelsManifest): void {
  if (volumeMm3 < 1000 * manifest.accepts.minimumVolumeMl) throw notTheOrgan(manifest);
}

function notTheOrgan({ accepts }: LabelsManifest): UnsupportedSeriesError {
  return new UnsupportedSeriesError(
    "unsupported-object",
    `The network does not find in this image what it was trained on. ${accepts.refusal}`,
  );
}

function coarseNote({ ijkToLps }: VolumeHeader, { accepts }: LabelsManifest): string | undefined {
  const coarsest = Math.max(...voxelSizeMm(ijkToLps));
  if (coarsest <= accepts.noteAboveSpacingMm) return undefined;
  return `Voxels are up to ${coarsest.toFixed(1)} mm long; the network was trained on finer images: expect rougher outlines.`;
}

function sidesUnknown(): UnsupportedSeriesError {
  return new UnsupportedSeriesError(
    "unsupported-object",
    "Left and right cannot be told apart in this image: too little of the paired structures is in it. Ask without a side.",
  );
}
