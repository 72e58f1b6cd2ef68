import { InvalidRequestError } from "./errors.ts";
import type { MergeMode, SegmentOptions } from "./ports.ts";
import type { Prompt } from "./prompt.ts";

/** What is asked of a model, wherever the image comes from. What is left out is the model's own way. */
export interface Question {
  readonly prompts: readonly Prompt[];
  /** A model by name; otherwise the best installed one for the modality and the prompts. */
  readonly model?: string;
  /** "exclusive" where left out; of a recognition "overlapping". */
  readonly merge?: MergeMode;
  /** Probability from which a voxel belongs to the mask, 0 to 1. */
  readonly threshold?: number;
  /** Existence score from which a prompt counts as there, 0 to 1. */
  readonly presenceThreshold?: number;
  /** Connected pieces below it are dropped from masks and findings; none where left out. */
  readonly minimumVolumeMm3?: number;
  /** Noises that a sampling model is asked with and that are averaged, 1 to 16; 1 where left out. */
  readonly draws?: number;
  /** Touching objects of one prompt are told apart, where the model sees their edges. */
  readonly instances?: boolean;
  /** Slice k that is computed first, of a resampled series as its images are counted; the others follow outwards. In order where left out. */
  readonly fromSlice?: number;
  /** Besides the prompts, everything that the model is recommended for in such an image. Then there may be no prompt. */
  readonly recognise?: boolean;
  /** Likely targets that are answered in the same pass, for later; the engine's setting where left out. */
  readonly anticipate?: number;
}

/** What is left in the archive, or ("nifti") in a folder; "detections": nothing, the findings are the answer. */
export type Output = "seg" | "sr" | "rtstruct" | "sc" | "nifti" | "detections";

/** How the SEG holds its segments: one bit, the model's probability, or one number a voxel. */
export type SegmentationType = "binary" | "fractional" | "labelmap";

/** What is asked about a series of the archive. */
export interface SeriesQuestion extends Question {
  /** Which volume of a series that holds several, counted from 0. */
  readonly volume?: number;
  /** Tilted or unevenly spaced slices are put onto a regular grid instead of refused. */
  readonly resample?: boolean;
  /** A SEG alone where left out; of a recognition nothing. */
  readonly outputs?: readonly Output[];
  /** "binary" where left out. */
  readonly segmentationType?: SegmentationType;
  /** The SEG is written deflated as a whole. */
  readonly deflated?: boolean;
  /** Within the NIfTI folder. */
  readonly niftiSubfolder?: string;
}

/** @throws InvalidRequestError where two answers do not go together */
export function checkQuestion({
  merge,
  segmentationType,
}: {
  readonly merge?: MergeMode | undefined;
  readonly segmentationType?: SegmentationType | undefined;
}): void {
  if (segmentationType !== "labelmap" || merge !== "overlapping") return;
  throw new InvalidRequestError(
    "A label map holds one segment a voxel: ask for merge exclusive, or for another segmentationType.",
  );
}

/** What is stored where a question does not say: a recognition only tells what is there. */
export function outputsOf({ outputs, recognise }: Pick<SeriesQuestion, "outputs" | "recognise">): readonly Output[] {
  return outputs ?? [recognise ? "detections" : "seg"];
}

/**
 * How masks are merged where a question does not say. Of a recognition each is judged by itself: the lungs and their lobes are
 * both there.
 */
export function mergeOf({
  merge,
  recognise,
  segmentationType,
}: Pick<SeriesQuestion, "merge" | "recognise" | "segmentationType">): MergeMode {
  return merge ?? (recognise && segmentationType !== "labelmap" ? "overlapping" : "exclusive");
}

/** The question as the model's port takes it. */
export function optionsOf(question: Question, probabilities: boolean): SegmentOptions {
  const { threshold, presenceThreshold, draws = 1, instances, fromSlice } = question;
  return {
    merge: mergeOf(question),
    probabilities,
    ...(draws > 1 && { draws }),
    ...(instances === true && { instances }),
    ...(fromSlice !== undefined && { firstSlice: fromSlice }),
    ...(threshold !== undefined && { maskThreshold: threshold }),
    ...(presenceThreshold !== undefined && { existenceThreshold: presenceThreshold }),
  };
}

/**
 * All that makes another result of the same prompts, for the job's key. What is the default stays out of it, so that a new
 * option changes no older key; what is stored of the same masks, and how, is told apart by the role of its UIDs.
 */
export function optionsOfKey(question: SeriesQuestion): Readonly<Record<string, unknown>> {
  const { threshold, presenceThreshold, minimumVolumeMm3 = 0, volume = 0, resample, draws = 1, instances } = question;
  return {
    merge: mergeOf(question),
    ...(draws > 1 && { draws }),
    ...(instances === true && { instances }),
    ...(threshold !== undefined && { threshold }),
    ...(presenceThreshold !== undefined && { presenceThreshold }),
    ...(minimumVolumeMm3 > 0 && { minimumVolumeMm3 }),
    ...(volume > 0 && { volume }),
    ...(resample === true && { resample }),
  };
}
