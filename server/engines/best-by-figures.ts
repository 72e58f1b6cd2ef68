import { type Figures, type ModelCard, resolveTarget } from "#models/index.ts";
import type { Prompt } from "#server/domain/index.ts";

/**
 * Of models that all know the prompts, the one that agrees best with a reference that both were measured against: mean Dice
 * over the targets asked for, or over all that both have where none of those was measured. What one of them saw in training
 * does not count. Without a common reference the earlier one stays.
 */
export function bestByFigures(cards: readonly ModelCard[], prompts: readonly Prompt[]): ModelCard | undefined {
  return cards.reduce<ModelCard | undefined>((best, card) => {
    if (!best) return card;
    const [ofBest, ofCard] = meanDice(best, card, prompts);
    return ofCard > ofBest ? card : best;
  }, undefined);
}

/** Over the same references and targets, so that the two means can be compared; zeros where there are none. */
function meanDice(one: ModelCard, other: ModelCard, prompts: readonly Prompt[]): readonly [number, number] {
  const pairs = unseen(one).flatMap(({ reference, dice }) => {
    const same = unseen(other).find((figure) => figure.reference === reference);
    if (!same) return [];
    return Object.entries(dice).flatMap(([target, value]) => {
      const otherValue = same.dice[target];
      return otherValue === undefined ? [] : [{ target, values: [value, otherValue] as const }];
    });
  });
  const asked = new Set(prompts.map(({ text }) => nameOf(text, one)));
  const measured = pairs.filter(({ target }) => asked.has(target));
  const counted = measured.length > 0 ? measured : pairs;
  if (counted.length === 0) return [0, 0];
  const mean = (side: 0 | 1) => counted.reduce((sum, { values }) => sum + values[side], 0) / counted.length;
  return [mean(0), mean(1)];
}

function unseen({ figures = [] }: ModelCard): readonly Figures[] {
  return figures.filter(({ seenInTraining }) => !seenInTraining);
}

function nameOf(text: string, { targets }: ModelCard): string | undefined {
  const asked = resolveTarget(text, targets);
  return asked.kind === "found" ? asked.target.name : undefined;
}
