import type { VolumeGeometry } from "#converters/geometry/index.ts";
import { measure } from "#converters/mask/index.ts";
import { type ModelCard, resolveTarget } from "#models/index.ts";
import type { Finding } from "./finding.ts";
import type { PromptMask } from "./segment-volume.ts";

const mostComponents = 20;

/** Measures one mask. `numbering` gives a present finding its segment number and its tracking identity. */
export function findingOf(
  { prompt, mask, score }: PromptMask,
  geometry: VolumeGeometry,
  card: ModelCard,
  numbering: () => Pick<Finding, "segmentNumber" | "tracking">,
): Finding {
  const { voxels, volumeMl, slices, box, components } = measure(mask, geometry);
  const answer = {
    prompt,
    score,
    slices,
    voxels,
    components: components.slice(0, mostComponents),
    notes: notesOn(prompt.text, card),
  };
  if (voxels === 0 || !box) return { ...answer, present: false };
  return { ...answer, present: true, volumeMl, box, ...numbering() };
}

function notesOn(text: string, card: ModelCard): string[] {
  const notes: string[] = [];
  if (card.algorithmFamily === "density-rules") notes.push("Answered by density rules, not by a trained network.");
  else if (!card.trained) notes.push("Answered by a network of which it is not known that it was trained.");
  if (card.vocabulary === "open" && !isRecommended(text, card)) {
    notes.push("This prompt is outside the model's recommended list: expect less of the answer.");
  }
  return notes;
}

/** By one of a target's own names: neither by a near spelling, nor with a side that the target does not have. */
function isRecommended(text: string, card: ModelCard): boolean {
  const asked = resolveTarget(text, card.targets);
  return (
    asked.kind === "found" && asked.score === 1 && (asked.side === undefined || asked.target.name.includes(asked.side))
  );
}
