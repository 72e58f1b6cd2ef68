import { decodeSeries } from "#converters/dicom/index.ts";
import { type AnsweringModel, answeringModel } from "./answering-model.ts";
import type { Finding } from "./finding.ts";
import { answerOf } from "./findings.ts";
import { jobKey } from "./job-key.ts";
import { givesProbabilities, type KeptAnswer, type KeptNotice, keptAnswerOf } from "./kept-answer.ts";
import { notesInto } from "./notes-into.ts";
import type { Ports, Run, SeriesRef } from "./ports.ts";
import { canBeShown, type PreviewSlice, previewFeed } from "./preview-feed.ts";
import { areTooManyProbabilities, refuseTooManyProbabilities } from "./probability-limit.ts";
import { withoutSmallPieces } from "./prompt-mask.ts";
import { writeProvenance } from "./provenance.ts";
import {
  checkQuestion,
  mergeOf,
  type Output,
  optionsOf,
  optionsOfKey,
  outputsOf,
  type SeriesQuestion,
} from "./question.ts";
import { decodedOnce } from "./recent-series.ts";
import { anticipationOf, byLikelihood, recognitionPrompts, sightingOf } from "./recognise.ts";
import { refuseAnotherSeries } from "./refuse-another-series.ts";
import { resultObjects, trackingOf } from "./result-objects.ts";
import { segmentVolume } from "./segment-volume.ts";
import { Stopwatch } from "./stopwatch.ts";
import { niftiFolderFor, type StoredFile, storeNifti } from "./store-nifti.ts";
import { type StoredObjects, storeResults } from "./store-results.ts";
import { notesOnGrids, volumeSliceOf } from "./stored-masks.ts";
import { thresholdNotes } from "./threshold-notes.ts";

export interface SegmentSeriesRequest extends SeriesQuestion {
  readonly series: SeriesRef;
}

/** What is stored is absent where nothing was found, but for a report: an empty SEG is never stored. */
export interface SegmentSeriesResult extends StoredObjects {
  readonly findings: readonly Finding[];
  /** Where a NIfTI was asked for, and something was found. */
  readonly nifti?: StoredFile;
  /** Where they were asked for, and the model gives any. */
  readonly probabilities?: KeptNotice;
  readonly model: AnsweringModel;
  /** What the user should know of this result, in plain words. */
  readonly notes: readonly string[];
  readonly seconds: Readonly<Record<"fetch" | "decode" | "infer" | "encode" | "store", number>>;
  /** Of the volume that was looked at. */
  readonly slices?: number;
}

/** How a run is watched: its stages, and each finding as soon as it is known. */
export interface SegmentRun extends Run {
  finding(finding: Finding): void;
  /** Slices as they are finished; absent where nobody watches. */
  preview?(slices: readonly PreviewSlice[]): void;
  /** Takes in the answer before its masks were cut; absent where nobody asked for it. */
  keep?(answer: KeptAnswer): Promise<KeptNotice>;
}

/**
 * From a prompt to DICOM objects beside the scan: describe, choose the model, fetch, decode, infer, measure, encode, check by
 * reading back, store. Nothing is stored where a step before fails.
 * @throws every DomainError of the ports and of decodeSeries; InvalidRequestError; PartlyStoredError; the signal's reason
 * after an abort
 */
export async function segmentSeries(
  ports: Ports,
  request: SegmentSeriesRequest,
  run: SegmentRun,
): Promise<SegmentSeriesResult> {
  const { source, models, newUid } = ports;
  const { series: wanted, segmentationType = "binary", deflated = false, resample, minimumVolumeMm3 } = request;
  const { signal } = run;
  checkQuestion(request);
  const outputs = outputsOf(request);
  const niftiFolder = await niftiFolderFor(outputs, ports);
  const watch = new Stopwatch<"describe" | "fetch" | "fetchAndDecode" | "infer" | "encode" | "store">();

  run.progress("fetch", 0);
  const { modality, instanceCount } = await watch.time("describe", () => source.describe(wanted, { signal }));
  const model = await models.choose({
    modality,
    prompts: request.prompts,
    ...(request.model && { name: request.model }),
  });

  const instances = watch.waiting("fetch", source.instances(wanted, { signal }));
  const decoding = {
    ...(request.volume !== undefined && { volume: request.volume }),
    ...(resample && { resample }),
    padding: "air",
  } as const;
  const decode = () =>
    decodeSeries(instances, {
      signal,
      onInstance: (count) =>
        run.progress("fetch", Math.min(1, count / Math.max(1, instanceCount)), `${count}/${instanceCount}`),
      ...decoding,
    });
  const series = await watch.time("fetchAndDecode", () => decodedOnce(ports, wanted, decoding, { signal, decode }));
  refuseAnotherSeries(series.header, wanted);
  run.progress("decode", 1);

  const { volume } = series;
  const facts = { modality: volume.modality, bodyPart: series.header.series.BodyPartExamined };
  const prompts = request.recognise ? recognitionPrompts(request.prompts, facts, model.card) : request.prompts;
  const probabilities = segmentationType === "fractional" && storesSeg(outputs);
  if (probabilities) refuseTooManyProbabilities(volume.geometry.size, prompts.length);
  const keeps =
    run.keep !== undefined &&
    storesSeg(outputs) &&
    givesProbabilities(model.card) &&
    !areTooManyProbabilities(volume.geometry.size, prompts.length);
  const feed =
    run.preview && canBeShown(volume)
      ? previewFeed((slices) => run.preview?.(slices), { stack: volume.stack })
      : undefined;
  const { fromSlice, ...question } = request;
  const firstSlice = fromSlice === undefined ? undefined : volumeSliceOf(fromSlice, volume);
  const asked = optionsOf(
    { ...question, ...(firstSlice !== undefined && { fromSlice: firstSlice }) },
    probabilities || keeps,
  );
  const notes = [...series.notes, ...thresholdNotes(request, model.card, probabilities)];
  const noting = notesInto(notes, run);
  const masks = await watch.time("infer", () =>
    segmentVolume(
      model,
      volume,
      prompts,
      { ...asked, ...(facts.bodyPart && { bodyPart: facts.bodyPart }), ...anticipationOf(request, facts, model.card) },
      noting,
      feed,
      request.recognise ? (sighting) => run.finding(sightingOf(sighting)) : undefined,
    ),
  );
  signal.throwIfAborted();

  run.progress("encode", 0);
  const key = jobKey({
    sopInstanceUids: (volume.stack ?? volume).sources.map(({ sopInstanceUid }) => sopInstanceUid),
    modelSha256: model.card.sha256,
    prompts,
    options: { ...optionsOfKey(request), ...(volume.stack && { storedOn: "slices" }) },
  });
  let segmentNumber = 0;
  const answers = await watch.time("encode", () =>
    (request.recognise ? byLikelihood(masks) : masks).map((promptMask) => {
      const kept = withoutSmallPieces(promptMask, volume.geometry, minimumVolumeMm3 ?? 0);
      const answer = answerOf(kept, volume, model.card, () => ({
        segmentNumber: ++segmentNumber,
        tracking: trackingOf(newUid, key, promptMask.prompt.text),
      }));
      run.finding(answer.finding);
      return answer;
    }),
  );

  const computedOn = model.computedOn?.();
  const told = computedOn === undefined ? {} : { computedOn };
  const notFound = answers.flatMap(({ finding, prompt }) => (finding.present ? [] : prompt.text));
  const provenance = writeProvenance(request, model.card, notFound);
  const answered = { key, series, answers, card: model.card, outputs, segmentationType, deflated, provenance, ...told };
  const objects = await watch.time("encode", () => resultObjects(ports, answered, { signal }));
  const stored = await watch.time("store", () => storeResults(ports, objects, run));
  const { threshold = DEFAULT_THRESHOLD, niftiSubfolder: subfolder } = request;
  const masksOf = { key, series, answers, ...(subfolder !== undefined && { subfolder }) };
  const nifti =
    niftiFolder && segmentNumber > 0 ? await watch.time("store", () => storeNifti(niftiFolder, masksOf)) : undefined;
  const merge = mergeOf(request);
  const worthKeeping = keeps
    ? keptAnswerOf(answers, { merge, threshold, card: model.card, stack: volume.stack })
    : undefined;
  // The result stands in the archive already: what goes wrong here takes away a slider.
  const kept = worthKeeping && (await run.keep?.(worthKeeping).catch(() => undefined));
  run.progress("done", 1);
  const onGrids =
    segmentNumber > 0 && (storesSeg(outputs) || stored.rtstruct)
      ? notesOnGrids(volume, stored.seg !== undefined || stored.rtstruct !== undefined)
      : [];
  return {
    findings: answers.map(({ finding }) => finding),
    ...stored,
    ...(nifti && { nifti: nifti.stored }),
    ...(kept && { probabilities: kept }),
    model: answeringModel(model.card, computedOn),
    notes: [...notes, ...(nifti?.notes ?? []), ...notesOnStoring(outputs, segmentNumber), ...onGrids],
    slices: volume.geometry.size[2],
    seconds: {
      fetch: watch.seconds("describe") + watch.seconds("fetch"),
      decode: watch.seconds("fetchAndDecode") - watch.seconds("fetch"),
      infer: watch.seconds("infer"),
      encode: watch.seconds("encode"),
      store: watch.seconds("store"),
    },
  };
}

/** What models cut at where they are not told otherwise. */
const DEFAULT_THRESHOLD = 0.5;

/** A report's measurements refer to segments, so it never stands alone. */
function storesSeg(outputs: readonly Output[]): boolean {
  return outputs.includes("seg") || outputs.includes("sr");
}

function notesOnStoring(outputs: readonly Output[], found: number): readonly string[] {
  if (found > 0) {
    const unasked = outputs.includes("sr") && !outputs.includes("seg");
    return unasked ? ["The segmentation was stored as well: the report refers to it."] : [];
  }
  if (storesSeg(outputs)) return ["Nothing that was asked for was found, so no segmentation was stored."];
  return ["Nothing that was asked for was found."];
}
