import type { ModelCard } from "#models/index.ts";
import { InvalidPromptError, ModelNotFoundError, type Prompt } from "#server/domain/index.ts";
import { bestCard, namedCard } from "./registry.ts";

/**
 * The model that would answer, without loading it: the one of that name, where it can, or the best.
 * @throws ModelNotFoundError, InvalidPromptError
 */
export function cardFor(
  cards: readonly ModelCard[],
  {
    modality,
    prompts,
    name,
  }: { readonly modality: string; readonly prompts: readonly Prompt[]; readonly name?: string },
): ModelCard {
  if (name === undefined) return bestCard(cards, modality, prompts);
  const card = namedCard(cards, name);
  const models = cards.map((one) => one.name);
  if (!card.modalities.includes(modality)) {
    throw new ModelNotFoundError(
      `${name} reads ${card.modalities.join(", ")}, and is asked about ${modality} images. Name another model: ${models.join(", ")}.`,
      { models },
    );
  }
  try {
    return bestCard([card], modality, prompts);
  } catch (error) {
    if (!(error instanceof InvalidPromptError)) throw error;
    const known = card.targets.map((target) => target.name);
    throw new InvalidPromptError(
      `${name} cannot answer all of these prompts on ${modality} images. It knows: ${known.join(", ")}. Ask for these, or name another model: ${models.join(", ")}.`,
      known,
    );
  }
}
