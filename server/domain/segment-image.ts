import type { Volume } from "#converters/geometry/index.ts";
import { readSlice } from "#converters/mask/index.ts";
import { decodeNifti, numbersOnly, writeNifti } from "#converters/nifti/index.ts";
import { type AnsweringModel, answeringModel } from "./answering-model.ts";
import type { Finding } from "./finding.ts";
import { answerOf } from "./findings.ts";
import { notesInto } from "./notes-into.ts";
import type { Ports } from "./ports.ts";
import { refuseTooManyProbabilities } from "./probability-limit.ts";
import { type PromptMask, withoutSmallPieces } from "./prompt-mask.ts";
import { optionsOf, type Question } from "./question.ts";
import { anticipationOf, byLikelihood, recognitionPrompts, sightingOf } from "./recognise.ts";
import type { SegmentRun } from "./segment-series.ts";
import { segmentVolume } from "./segment-volume.ts";
import { Stopwatch } from "./stopwatch.ts";
import { thresholdNotes } from "./threshold-notes.ts";

export interface SegmentImageRequest extends Question {
  /** A NIfTI file, gzipped or not. */
  readonly nifti: Uint8Array;
  readonly modality: string;
  /** `labels`: voxel value n = the n-th prompt; `probabilities`: 0 to 1, one volume for each prompt. */
  readonly output: "labels" | "probabilities";
  /** Whether the answer is compressed; true where not said. */
  readonly gzip?: boolean;
  /** Which volume of a file that holds several, counted from 0; the first where left out, and a note says so. */
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
  { models }: Pick<Ports, "models">,
  request: SegmentImageRequest,
  run: SegmentRun,
): Promise<SegmentImageResult> {
  const { modality, output, volumeIndex, gzip = true, minimumVolumeMm3 = 0 } = request;
  const probabilities = output === "probabilities";
  const watch = new Stopwatch<"decode" | "infer" | "encode">();
  run.progress("decode", 0);
  const { volume, notes: onImage } = await watch.time("decode", () => {
    const choice = volumeIndex !== undefined && { volumeIndex };
    const read = decodeNifti(request.nifti, { modality, maxVoxels: mostVoxels, ...choice });
    const { volume, notes } = numbersOnly(read.volume);
    return { volume, notes: [...read.notes, ...notes] };
  });
  const { prompts: asked, recognise } = request;
  if (probabilities) refuseTooManyProbabilities(volume.geometry.size, asked.length);
  const model = await models.choose({ modality, prompts: asked, ...(request.model && { name: request.model }) });
  const prompts = recognise ? recognitionPrompts(asked, { modality }, model.card) : asked;
  if (probabilities) refuseTooManyProbabilities(volume.geometry.size, prompts.length);
  const notes = [...onImage, ...thresholdNotes(request, model.card, probabilities)];
  const options = {
    ...optionsOf(request, probabilities),
    ...anticipationOf(request, { modality }, model.card),
  };
  const sighted = recognise ? (sighting: PromptMask) => run.finding(sightingOf(sighting)) : undefined;
  const given = await watch.time("infer", () =>
    segmentVolume(model, volume, prompts, options, notesInto(notes, run), undefined, sighted),
  );
  run.signal.throwIfAborted();

  run.progress("encode", 0);
  const masks = (recognise ? byLikelihood(given) : given).map((mask) =>
    withoutSmallPieces(mask, volume.geometry, minimumVolumeMm3),
  );
  const findings = masks.map((mask, n) => {
    const { finding } = answerOf(mask, volume, model.card, () => ({ segmentNumber: n + 1 }));
    run.finding(finding);
    return finding;
  });
  const nifti = await watch.time("encode", () =>
    output === "labels" ? writeLabels(volume, masks, gzip) : writeProbabilities(volume, masks, gzip),
  );
  run.progress("done", 1);
  return {
    findings,
    nifti,
    model: answeringModel(model.card, model.computedOn?.()),
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

/** What one image may take: a volume of 512 x 512 x 1,024 voxels. */
const mostVoxels = 2 ** 28;
