import { UnsupportedImageError } from "#converters/errors.ts";
import type { Volume } from "#converters/geometry/index.ts";
import { readSlice } from "#converters/mask/index.ts";
import { readNifti, writeNifti } from "#converters/nifti/index.ts";
import type { Finding } from "./finding.ts";
import { findingOf } from "./findings.ts";
import { notesInto } from "./notes-into.ts";
import type { MergeMode, Ports } from "./ports.ts";
import type { Prompt } from "./prompt.ts";
import type { AnsweringModel, SegmentRun } from "./segment-series.ts";
import { type PromptMask, segmentVolume } from "./segment-volume.ts";
import { Stopwatch } from "./stopwatch.ts";

export interface SegmentImageRequest {
  /** A NIfTI file, gzipped or not. */
  readonly nifti: Uint8Array;
  readonly modality: string;
  readonly prompts: readonly Prompt[];
  readonly model?: string;
  readonly merge?: MergeMode;
  /** `labels`: voxel value n = the n-th prompt; `probabilities`: 0 to 1, one volume for each prompt. */
  readonly output: "labels" | "probabilities";
  /** Whether the answer is compressed; true where not said. */
  readonly gzip?: boolean;
  /** Which volume of a file that holds several, counted from 0. */
  readonly volumeIndex?: number;
}

export interface SegmentImageResult {
  readonly findings: readonly Finding[];
  /** A NIfTI on the grid of the input; where two masks overlap, the later prompt's label stands. */
  readonly nifti: Uint8Array;
  readonly model: AnsweringModel;
  readonly notes: readonly string[];
  readonly seconds: Readonly<Record<"decode" | "infer" | "encode", number>>;
}

/** NIfTI in, NIfTI out: the same models and the same answers, without an archive. */
export async function segmentImage(
  { models, now }: Pick<Ports, "models" | "now">,
  request: SegmentImageRequest,
  run: SegmentRun,
): Promise<SegmentImageResult> {
  const { prompts, modality, output, volumeIndex, gzip = true, merge = "exclusive" } = request;
  const watch = new Stopwatch<"decode" | "infer" | "encode">(now);
  run.progress("decode", 0);
  const volume = await watch.time("decode", () =>
    readNifti(request.nifti, { modality, maxVoxels: mostVoxels, ...(volumeIndex !== undefined && { volumeIndex }) }),
  );
  if (output === "probabilities") refuseTooManyProbabilities(volume, prompts.length);
  const model = await models.choose({ modality, prompts, ...(request.model && { name: request.model }) });
  const notes: string[] = [];
  const options = { merge, probabilities: output === "probabilities" };
  const masks = await watch.time("infer", () => segmentVolume(model, volume, prompts, options, notesInto(notes, run)));
  run.signal.throwIfAborted();

  run.progress("encode", 0);
  let number = 0;
  const findings = masks.map((mask) => {
    number += 1;
    const finding = findingOf(mask, volume.geometry, model.card, () => ({ segmentNumber: number }));
    run.finding(finding);
    return finding;
  });
  const nifti = await watch.time("encode", () =>
    output === "labels" ? writeLabels(volume, masks, gzip) : writeProbabilities(volume, masks, gzip),
  );
  run.progress("done", 1);
  const { name, version, title, trained } = model.card;
  return {
    findings,
    nifti,
    model: { name, version, title, trained },
    notes,
    seconds: { decode: watch.seconds("decode"), infer: watch.seconds("infer"), encode: watch.seconds("encode") },
  };
}

function writeLabels({ geometry }: Volume, masks: readonly PromptMask[], gzip: boolean): Uint8Array {
  const [ni, nj, nk] = geometry.size;
  const labels = new Uint8Array(ni * nj * nk);
  const slice = new Uint8Array(ni * nj);
  for (const [index, { mask }] of masks.entries()) {
    for (let k = 0; k < nk; k++) {
      readSlice(mask, k, slice);
      const base = k * slice.length;
      for (let p = 0; p < slice.length; p++) if (slice[p]) labels[base + p] = index + 1;
    }
  }
  return writeNifti({ geometry, voxels: labels }, { gzip });
}

/** Stored as bytes with a slope of 1/255: a quarter of what floats take. */
function writeProbabilities({ geometry }: Volume, masks: readonly PromptMask[], gzip: boolean): Uint8Array {
  const voxelsPerVolume = geometry.size[0] * geometry.size[1] * geometry.size[2];
  const voxels = new Uint8Array(voxelsPerVolume * masks.length);
  for (const [index, { probability }] of masks.entries()) {
    if (!probability) throw new Error("the model gave no probabilities");
    voxels.set(probability, index * voxelsPerVolume);
  }
  return writeNifti({ geometry, voxels }, { gzip, volumes: masks.length, slope: 1 / 255 });
}

/** What one image may take: a volume of 512 x 512 x 1,024 voxels, and of probabilities four such volumes. */
const mostVoxels = 2 ** 28;
const mostProbabilities = 2 ** 30;

/** @throws UnsupportedImageError before the model is asked, where the answer would not fit into memory */
function refuseTooManyProbabilities({ geometry: { size } }: Volume, prompts: number): void {
  const values = size[0] * size[1] * size[2] * prompts;
  if (values <= mostProbabilities) return;
  throw new UnsupportedImageError(
    "too-large",
    `Probabilities of ${size.join(" x ")} voxels for ${prompts} prompts are too many. Ask for fewer prompts at a time, or for labels.`,
  );
}
