import { type Command, InvalidArgumentError } from "commander";
import type { Question, SegmentationType } from "#server/domain/index.ts";
import { wholeNumber } from "./whole-number.ts";

/** What the flags of a question say; see addQuestionOptions. */
export interface QuestionOptions {
  readonly model?: string;
  readonly merge?: "exclusive" | "overlapping";
  readonly threshold?: number;
  readonly presenceThreshold?: number;
  readonly minimumVolume?: number;
  readonly draws?: number;
  readonly instances?: boolean;
  readonly fromSlice?: number;
  readonly volume?: number;
  readonly resample?: boolean;
  readonly deflated?: boolean;
  readonly segmentationType?: SegmentationType;
}

/** The flags that say how a model is asked, and which volume of the images. */
export function addQuestionOptions(command: Command): Command {
  return command
    .option("-m, --model <name>", "the model to ask (see `parse3d models`)")
    .option(
      "--merge <mode>",
      "exclusive: one thing a voxel; overlapping: each prompt by itself",
      oneOf("exclusive", "overlapping"),
    )
    .option("--threshold <p>", "probability from which a voxel belongs to the mask, 0 to 1", probability)
    .option("--presence-threshold <p>", "existence score from which a prompt counts as there, 0 to 1", probability)
    .option("--minimum-volume <mm3>", "drop connected pieces below so many mm3", cubicMm)
    .option("--draws <n>", "of a model that samples: average so many draws, and tell their disagreement", drawCount)
    .option("--instances", "tell touching objects of one prompt apart, where the model sees their edges")
    .option("--from-slice <n>", "compute this slice first, and the others outwards from it", wholeNumber)
    .option(
      "--volume <n>",
      "which volume of several (time, echo, b-value, stack), counted from 0; left out: the first",
      wholeNumber,
    )
    .option("--deflated", "write the SEG deflated as a whole: small, where the receiver reads that")
    .option("--resample", "put tilted or unevenly spaced slices of a series onto a regular grid, not refuse them")
    .option(
      "--segmentation-type <type>",
      "of the SEG: binary; fractional (probabilities); labelmap (with a background)",
      oneOf("binary", "fractional", "labelmap"),
    );
}

/** The question without its prompts, as the domain takes it. */
export function questionOf({
  model,
  merge,
  threshold,
  presenceThreshold,
  minimumVolume,
  draws,
  instances,
  fromSlice,
}: QuestionOptions): Omit<Question, "prompts"> {
  return {
    ...(model && { model }),
    ...(merge && { merge }),
    ...(threshold !== undefined && { threshold }),
    ...(presenceThreshold !== undefined && { presenceThreshold }),
    ...(minimumVolume !== undefined && { minimumVolumeMm3: minimumVolume }),
    ...(draws !== undefined && { draws }),
    ...(instances && { instances }),
    ...(fromSlice !== undefined && { fromSlice }),
  };
}

function oneOf<T extends string>(...words: readonly T[]): (text: string) => T {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found === undefined) throw new InvalidArgumentError(`It is one of: ${words.join(", ")}.`);
    return found;
  };
}

function probability(text: string): number {
  const value = decimal(text);
  if (!(value <= 1)) throw new InvalidArgumentError("It is a number from 0 to 1.");
  return value;
}

function drawCount(text: string): number {
  const value = decimal(text);
  if (!Number.isInteger(value) || value < 1 || value > 16) throw new InvalidArgumentError("It is 1 to 16.");
  return value;
}

function cubicMm(text: string): number {
  const value = decimal(text);
  if (Number.isNaN(value)) throw new InvalidArgumentError("It is a number of mm3, 0 or more.");
  return value;
}

/** Digits with or without a point; NaN otherwise. */
function decimal(text: string): number {
  return /^(\d{1,12}(\.\d{0,12})?|\.\d{1,12})$/.test(text) ? Number(text) : Number.NaN;
}
