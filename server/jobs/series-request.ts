import type { CodedConcept } from "#converters/dicom/index.ts";
import {
  checkQuestion,
  mergeOf,
  type Output,
  outputsOf,
  promptsFrom,
  type Question,
  type SeriesQuestion,
  type SeriesRef,
} from "#server/domain/index.ts";
import type { SeriesJobRequest } from "./job.ts";

/** What requests and routing rules ask of a series, as their schemas leave it: defaults filled in. */
export interface AskedOfSeries extends MaybeUndefined<Omit<SeriesQuestion, "prompts">> {
  /** May be left out where `recognise` asks for everything. */
  readonly prompts?:
    | readonly (string | { readonly text: string; readonly code?: CodedConcept | undefined })[]
    | undefined;
}

/** Schemas leave out, or leave undefined. */
type MaybeUndefined<T> = { readonly [K in keyof T]?: T[K] | undefined };

const order: readonly Output[] = ["seg", "sr", "rtstruct", "sc", "nifti", "detections"];

/**
 * The job that asks it. Defaults are left out and outputs put in one order, so that the same question is the same request.
 * @throws InvalidPromptError, InvalidRequestError
 */
export function seriesJobRequest(series: SeriesRef, asked: AskedOfSeries): SeriesJobRequest {
  checkQuestion(asked);
  const { segmentationType, deflated, volume, resample, niftiSubfolder, recognise = false } = asked;
  const outputs = outputsOf({ recognise, ...(asked.outputs && { outputs: asked.outputs }) });
  return {
    kind: "series",
    series,
    prompts: askedPrompts(asked),
    ...(asked.model !== undefined && { model: asked.model }),
    merge: mergeOf({
      recognise,
      ...(asked.merge && { merge: asked.merge }),
      ...(segmentationType && { segmentationType }),
    }),
    outputs: order.filter((output) => outputs.includes(output)),
    ...(segmentationType !== undefined && segmentationType !== "binary" && { segmentationType }),
    ...(volume !== undefined && { volume }),
    ...(deflated === true && { deflated }),
    ...(resample === true && { resample }),
    ...(niftiSubfolder !== undefined && { niftiSubfolder }),
    ...thresholdsOf(asked),
  };
}

/**
 * The prompts that were given; none only where everything is asked for.
 * @throws InvalidPromptError
 */
export function askedPrompts({ prompts = [], recognise }: Pick<AskedOfSeries, "prompts" | "recognise">) {
  if (recognise && prompts.length === 0) return [];
  return promptsFrom(prompts.map((prompt) => (typeof prompt === "string" ? { text: prompt } : prompt)));
}

/** What is asked of a model whatever the image, without what is the default. */
export function thresholdsOf({
  threshold,
  presenceThreshold,
  minimumVolumeMm3 = 0,
  draws = 1,
  instances,
  fromSlice,
  recognise,
  anticipate,
}: MaybeUndefined<Omit<Question, "prompts" | "model" | "merge">>) {
  return {
    ...(draws > 1 && { draws }),
    ...(instances === true && { instances }),
    ...(fromSlice !== undefined && { fromSlice }),
    ...(recognise === true && { recognise }),
    ...(anticipate !== undefined && { anticipate }),
    ...(threshold !== undefined && { threshold }),
    ...(presenceThreshold !== undefined && { presenceThreshold }),
    ...(minimumVolumeMm3 > 0 && { minimumVolumeMm3 }),
  };
}
