import { UnsupportedSeriesError } from "#converters/errors.ts";
import type { Volume } from "#converters/geometry/index.ts";
import type { ModelCard } from "#models/index.ts";
import { InvalidPromptError, longestPrompt, type Prompt } from "#server/domain/index.ts";

/** @throws InvalidPromptError for prompts that no model can be asked */
export function checkPrompts(prompts: readonly Prompt[]): void {
  if (prompts.length === 0) throw new InvalidPromptError("No prompt was given. Name at least one thing to look for.");
  if (new Set(prompts.map(({ id }) => id)).size < prompts.length) throw new RangeError("prompt ids are not unique");
  for (const { text } of prompts) {
    if (text.trim() === "")
      throw new InvalidPromptError('A prompt is empty. Name the thing to look for, like "skull".');
    if (text.length > longestPrompt) {
      throw new InvalidPromptError(
        `A prompt has ${text.length} characters; at most ${longestPrompt} are taken. Name one thing in a few words.`,
      );
    }
  }
}

/** @throws UnsupportedSeriesError("wrong-modality") where the model was not made for images of this kind */
export function checkModality(volume: Volume, card: ModelCard): void {
  if (card.modalities.includes(volume.modality)) return;
  throw new UnsupportedSeriesError(
    "wrong-modality",
    `The model ${card.name} reads ${card.modalities.join(", ")}; this image is ${volume.modality}. Choose another model or another series.`,
    { modality: volume.modality, accepted: card.modalities },
  );
}
