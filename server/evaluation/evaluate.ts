import { dirname, resolve } from "node:path";
import { DomainError } from "#converters/errors.ts";
import type { Volume, VolumeGeometry } from "#converters/geometry/index.ts";
import { type Agreement, agreement, type BitVolume } from "#converters/mask/index.ts";
import type { ModelCard } from "#models/index.ts";
import {
  InvalidRequestError,
  type ModelRegistry,
  mostPrompts,
  promptsFrom,
  segmentVolume,
} from "#server/domain/index.ts";
import { type AskedCase, type EvaluationCase, type GivenCase, isGiven } from "./case-list.ts";
import { EvaluationCaseError } from "./errors.ts";
import { openLabels } from "./open-labels.ts";
import { readImage } from "./read-image.ts";

/** One target of one case. */
export interface Row extends Agreement {
  /** Place in the list, from 1: all that names a case in the results. */
  readonly case: number;
  readonly target: string;
  /** Name and version of the model that answered; absent where the prediction was given. */
  readonly model?: string;
  readonly inReference: boolean;
  readonly inPrediction: boolean;
  /** The model's own: the largest existence probability; null where it gives none. */
  readonly score: number | null;
}

/** A row with what it was measured on. */
export interface Compared {
  readonly row: Row;
  /** Absent where a case of given predictions names no image. */
  readonly image?: Volume;
  readonly geometry: VolumeGeometry;
  readonly reference: BitVolume;
  readonly prediction: BitVolume;
}

export interface EvaluateOptions {
  readonly models: ModelRegistry;
  /** The list's own path: those in it are meant from there. */
  readonly listPath: string;
  readonly toleranceMm: number;
  readonly signal: AbortSignal;
  /** Told of each case that cannot be compared, or not in all its targets. */
  failed(error: EvaluationCaseError): void;
  /** @param fraction of this case, 0 to 1 */
  progress?(number: number, fraction: number): void;
}

/**
 * Compares every target of every case with its reference, case by case. One that cannot be compared is told and left out; the
 * others go on. Images that a model is asked about are read twice: those that do not fit their labels are told before the
 * first is asked about.
 * @throws the signal's reason
 */
export async function* evaluate(
  cases: readonly EvaluationCase[],
  options: EvaluateOptions,
): AsyncGenerator<Compared, void, undefined> {
  const left = new Set(cases.keys());
  const orTell = async <T>(index: number, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (cause) {
      options.signal.throwIfAborted();
      if (!(cause instanceof DomainError)) throw cause;
      left.delete(index);
      options.failed(new EvaluationCaseError(index + 1, cause));
      return undefined;
    }
  };
  if (cases.length > 1) {
    for (const [index, one] of cases.entries()) {
      if (!isGiven(one)) await orTell(index, () => readAsked(one, options));
    }
  }
  for (const [index, one] of cases.entries()) {
    if (!left.has(index)) continue;
    const number = index + 1;
    const compared = isGiven(one) ? compareGiven(one, number, options) : compareAsked(one, number, options);
    for (;;) {
      const next = await orTell(index, () => compared.next());
      if (next === undefined || next.done) break;
      yield next.value;
    }
  }
}

/** The image, and what the reference says of each target on its grid. */
async function readAsked(one: AskedCase, { listPath, signal }: EvaluateOptions) {
  signal.throwIfAborted();
  const at = (path: string) => resolve(dirname(listPath), path);
  const reference = await openLabels(at(one.reference), "reference");
  const image = await readImage(at(one.image), one.modality, { needsModality: true, signal });
  const labelled = reference.onto(image.geometry);
  return { image, targets: Object.entries(one.targets).map(([text, label]) => ({ text, truth: labelled(label) })) };
}

async function* compareAsked(one: AskedCase, number: number, options: EvaluateOptions): AsyncGenerator<Compared, void> {
  const { models, signal, toleranceMm } = options;
  const { image, targets } = await readAsked(one, options);
  const { geometry, modality } = image;
  for (let from = 0; from < targets.length; from += mostPrompts) {
    const asked = targets.slice(from, from + mostPrompts);
    const prompts = promptsFrom(asked);
    const model = await models.choose({ modality, prompts, ...(one.model && { name: one.model }) });
    const run = {
      signal,
      progress: (_stage: string, fraction: number) => options.progress?.(number, fraction),
      note: () => {},
    };
    // Each target by itself: what one prompt takes from another is not to be measured.
    const masks = await segmentVolume(model, image, prompts, { merge: "overlapping", probabilities: false }, run);
    for (const [n, { mask, score }] of masks.entries()) {
      const { text: target, truth } = asked[n]!;
      const row = rowOf(agreement(truth, mask, geometry, toleranceMm), { case: number, target, score });
      yield { row: { ...row, model: nameOf(model.card) }, image, geometry, reference: truth, prediction: mask };
    }
  }
}

async function* compareGiven(one: GivenCase, number: number, options: EvaluateOptions): AsyncGenerator<Compared, void> {
  options.signal.throwIfAborted();
  const at = (path: string) => resolve(dirname(options.listPath), path);
  const reference = await openLabels(at(one.reference), "reference");
  const prediction = await openLabels(at(one.prediction), "prediction");
  const image =
    one.image && (await readImage(at(one.image), one.modality, { needsModality: false, signal: options.signal }));
  const geometry = (image || reference).geometry ?? prediction.geometry;
  if (geometry === undefined) {
    throw new InvalidRequestError("Neither segmentation lies on a regular grid. Name the image that they belong to.");
  }
  const truth = reference.onto(geometry)(one.label);
  const mask = prediction.onto(geometry)(one.predictionLabel ?? one.label);
  const target = one.target ?? (typeof one.label === "string" ? one.label : `label ${[one.label].flat().join("+")}`);
  const row = rowOf(agreement(truth, mask, geometry, options.toleranceMm), { case: number, target, score: null });
  yield { row, ...(image && { image }), geometry, reference: truth, prediction: mask };
}

function rowOf(measured: Agreement, named: Pick<Row, "case" | "target" | "score">): Row {
  return { ...named, inReference: measured.referenceMl > 0, inPrediction: measured.predictionMl > 0, ...measured };
}

function nameOf({ name, version }: ModelCard): string {
  return `${name} ${version}`;
}
