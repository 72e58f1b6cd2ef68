import type { SlicePlaces } from "#converters/dicom/index.ts";
import type { SliceStack, Vec3 } from "#converters/geometry/index.ts";
import type { ModelCard } from "#models/index.ts";
import type { Answer } from "./findings.ts";
import { fractionsOf } from "./fractions.ts";
import type { MergeMode } from "./ports.ts";
import type { Prompt } from "./prompt.ts";

/** What is kept of one prompt that was found. */
export interface KeptPrompt {
  readonly prompt: Prompt;
  readonly score: number | null;
  readonly tracking: { readonly id: string; readonly uid: string };
  /** round(255 p) for each voxel, i fastest; 0 in slices where the model says that the object is not there. */
  readonly values: Uint8Array;
}

/** A model's answer before its masks were cut. */
export interface KeptAnswer {
  /** Voxels along i, j and k. */
  readonly size: Vec3;
  /** The slices that viewers show, where they are others: the series was resampled. */
  readonly shownOn?: SlicePlaces;
  readonly merge: MergeMode;
  /** What the stored masks were cut at. */
  readonly threshold: number;
  readonly card: ModelCard;
  readonly prompts: readonly KeptPrompt[];
}

/** What of it is there, and until when. */
export interface KeptNotice {
  readonly prompts: readonly string[];
  readonly threshold: number;
  /** ISO 8601. */
  readonly until: string;
}

/** Classes come without probabilities. */
export function givesProbabilities({ engine }: Pick<ModelCard, "engine">): boolean {
  return engine !== "labels";
}

/** Whether another threshold would make another mask. */
function isGraded(values: Uint8Array): boolean {
  for (let n = 0; n < values.length; n++) if (values[n]! > 0 && values[n]! < 255) return true;
  return false;
}

/** What is worth keeping of an answer: prompts that were found and whose probabilities say more than their masks. */
export function keptAnswerOf(
  answers: readonly Answer[],
  {
    merge,
    threshold,
    card,
    stack,
  }: Pick<KeptAnswer, "merge" | "threshold" | "card"> & { readonly stack?: SliceStack | undefined },
): KeptAnswer | undefined {
  const prompts: KeptPrompt[] = [];
  for (const answer of answers) {
    const { prompt, score, mask, finding } = answer;
    if (!finding.tracking || !answer.probability) continue;
    const { dropped: _small, ...whole } = answer;
    const { probabilities } = fractionsOf(whole);
    const [ni, nj, nk] = mask.size;
    const values = new Uint8Array(ni * nj * nk);
    for (let k = 0; k < nk; k++) {
      const slice = probabilities(k);
      if (slice) values.set(slice, k * ni * nj);
    }
    if (isGraded(values)) prompts.push({ prompt, score, tracking: finding.tracking, values });
  }
  const [first] = answers;
  if (!first || prompts.length === 0) return undefined;
  // Without the sources: a kept answer holds nothing that names a patient's images.
  const shownOn = stack && { geometry: { size: stack.geometry.size }, corners: stack.corners };
  return { size: first.mask.size, ...(shownOn && { shownOn }), merge, threshold, card, prompts };
}
