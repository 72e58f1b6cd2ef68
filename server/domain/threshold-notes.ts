import type { ModelCard } from "#models/index.ts";
import type { Question } from "./question.ts";

/** What the user should know of thresholds and probabilities with this kind of model, in plain words. */
export function thresholdNotes(
  { threshold, presenceThreshold }: Question,
  { engine, algorithmFamily, title }: ModelCard,
  probabilities: boolean,
): readonly string[] {
  const asked = threshold !== undefined || presenceThreshold !== undefined;
  if (engine === "labels") {
    return [
      ...(asked ? [`${title} answers with classes, not with probabilities: a threshold changes nothing.`] : []),
      ...(probabilities ? [`${title} gives no probabilities: each is 0 or 1.`] : []),
    ];
  }
  if (algorithmFamily !== "density-rules" || !(asked || probabilities)) return [];
  return [`Probabilities of ${title} say how deep a value lies inside its density range, not how likely it is.`];
}
