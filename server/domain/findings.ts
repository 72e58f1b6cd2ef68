import type { Volume } from "#converters/geometry/index.ts";
import { type Diameter, measure, splitByEdges } from "#converters/mask/index.ts";
import { type ModelCard, resolveTarget, sentPhrase } from "#models/index.ts";
import type { Finding } from "./finding.ts";
import type { PromptMask } from "./prompt-mask.ts";

const mostComponents = 20;

/** A mask with what was measured on it. */
export interface Answer extends PromptMask {
  readonly finding: Finding;
  /** Whether not finding it says anything: rules that have none for these words have not looked. */
  readonly looked: boolean;
  /** The longest of its components' diameters. */
  readonly longestAxialDiameter?: Diameter;
}

/** Measures one mask. `numbering` gives a present finding its segment number and its tracking identity. */
export function answerOf(
  promptMask: PromptMask,
  volume: Volume,
  card: ModelCard,
  numbering: () => Pick<Finding, "segmentNumber" | "tracking">,
): Answer {
  const { prompt, mask, score, dropped, edges, disagreement } = promptMask;
  const options = { atMost: mostComponents, values: volume.voxels };
  const { voxels, volumeMl, slices, box, components: pieces } = measure(mask, volume.geometry, options);
  const components = edges
    ? [...splitByEdges(mask, edges, mostComponents).largest].flatMap(
        (instance) => measure(instance, volume.geometry, options).components,
      )
    : pieces;
  const told = {
    prompt,
    score,
    ...(disagreement !== undefined && { disagreement }),
    slices,
    voxels,
    components: components.map(({ longestAxialDiameter, meanValue, ...component }) => ({
      ...component,
      longestDiameterMm: longestAxialDiameter.mm,
      ...(meanValue !== undefined && { meanValue, valueUnit: volume.unit }),
    })),
    notes: [...notesOn(prompt.text, volume.modality, card), ...notesOnDropped(dropped)],
  };
  const looked = isLookedFor(prompt.text, card);
  if (voxels === 0 || !box) return { ...promptMask, looked, finding: { ...told, present: false } };
  const longestAxialDiameter = (components.length > 0 ? components : pieces)
    .map((component) => component.longestAxialDiameter)
    .reduce((longest, other) => (other.mm > longest.mm ? other : longest));
  return {
    ...promptMask,
    looked,
    finding: { ...told, present: true, volumeMl, box, ...numbering() },
    longestAxialDiameter,
  };
}

function notesOnDropped(dropped: PromptMask["dropped"]): string[] {
  if (!dropped) return [];
  const { pieces, belowMm3 } = dropped;
  return [`${pieces} ${pieces === 1 ? "piece" : "pieces"} of less than ${belowMm3} mm3 left out, as asked.`];
}

function notesOn(text: string, modality: string, card: ModelCard): string[] {
  const notes: string[] = [];
  if (card.algorithmFamily === "density-rules") notes.push("Answered by density rules, not by a trained network.");
  else if (!card.trained) notes.push("Answered by a network of which it is not known that it was trained.");
  if (!isLookedFor(text, card)) {
    notes.push("This model has no rule for these words: that it finds nothing does not say that nothing is there.");
  } else if (card.vocabulary === "open" && !isRecommended(text, card)) {
    notes.push("This prompt is outside the model's recommended list: expect less of the answer.");
  }
  const phrase = sentPhrase(text, modality, card);
  if (phrase !== undefined) notes.push(`The model was asked for "${phrase}".`);
  return notes;
}

function isLookedFor(text: string, card: ModelCard): boolean {
  return card.algorithmFamily !== "density-rules" || isRecommended(text, card);
}

/** By one of a target's own names: neither by a near spelling, nor with a side that the target does not have. */
function isRecommended(text: string, card: ModelCard): boolean {
  const asked = resolveTarget(text, card.targets);
  return (
    asked.kind === "found" && asked.score === 1 && (asked.side === undefined || asked.target.name.includes(asked.side))
  );
}
