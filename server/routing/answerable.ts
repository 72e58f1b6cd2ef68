import { type ModelCard, resolveTarget } from "#models/index.ts";
import type { RoutingRule, RulePredicate } from "#server/contract/index.ts";
import { InvalidPromptError, ModelNotFoundError, type Prompt } from "#server/domain/index.ts";
import { askedPrompts } from "#server/jobs/index.ts";
import { evaluate } from "./evaluate.ts";

/** Which models there are for what rules ask. */
export interface RoutedModels {
  /** Of all machines that do jobs; none where no machine has announced any yet. */
  cards(): Promise<readonly ModelCard[]>;
  /** The one that would answer. @throws ModelNotFoundError, InvalidPromptError */
  choose(
    cards: readonly ModelCard[],
    query: { readonly modality: string; readonly prompts: readonly Prompt[]; readonly name?: string },
  ): ModelCard;
}

export type AskedByRule = Pick<RoutingRule, "when" | "ask">;

/**
 * That some model can answer what the rule asks, of some modality that it is for.
 * @returns what is doubtful about it, in words
 * @throws ModelNotFoundError, InvalidPromptError with the models, or the targets, that there are
 */
export async function checkAnswerable(
  rule: AskedByRule,
  models: RoutedModels,
  modalities: readonly string[],
): Promise<readonly string[]> {
  const possible = modalities.filter((modality) => couldFit(rule.when, modality) !== false);
  if (possible.length === 0) {
    return [`The rule is for no modality that may be routed (PARSE3D_ROUTING_MODALITIES: ${modalities.join(", ")}).`];
  }
  const cards = await models.cards();
  if (cards.length === 0) {
    return [
      "No machine that does jobs has told yet which models it has, so whether one can answer this is not known: start a worker, and test the rule.",
    ];
  }
  const refusals: Error[] = [];
  for (const modality of possible) {
    try {
      const question = questionOf(rule, modality);
      return notLookedFor(question.prompts, models.choose(cards, question));
    } catch (error) {
      if (!(error instanceof ModelNotFoundError || error instanceof InvalidPromptError)) throw error;
      refusals.push(error);
    }
  }
  throw refusals[0];
}

/** The name of the model that would answer about such a series; undefined where that is not known. */
export function answeringModel(
  rule: AskedByRule,
  modality: string,
  models: Pick<RoutedModels, "choose">,
  cards: readonly ModelCard[],
): string | undefined {
  if (cards.length === 0) return rule.ask.model;
  try {
    return models.choose(cards, questionOf(rule, modality)).name;
  } catch {
    return rule.ask.model;
  }
}

/** Rules of density take any words, and look for nothing where they have none for them. */
function notLookedFor(prompts: readonly Prompt[], { name, trained, targets }: ModelCard): readonly string[] {
  if (trained) return [];
  const unknown = prompts.filter(({ text }) => resolveTarget(text, targets).kind !== "found");
  if (unknown.length === 0) return [];
  return [`${name} has no rules for ${unknown.map(({ text }) => text).join(", ")}, and would look for nothing.`];
}

function questionOf({ ask }: AskedByRule, modality: string) {
  return { modality, prompts: askedPrompts(ask), ...(ask.model !== undefined && { name: ask.model }) };
}

/** Whether a series of this modality fits; undefined where that depends on what else it is. */
function couldFit(predicate: RulePredicate, modality: string): boolean | undefined {
  if ("all" in predicate) {
    const parts = predicate.all.map((part) => couldFit(part, modality));
    return parts.includes(false) ? false : parts.includes(undefined) ? undefined : true;
  }
  if ("any" in predicate) {
    const parts = predicate.any.map((part) => couldFit(part, modality));
    return parts.includes(true) ? true : parts.includes(undefined) ? undefined : false;
  }
  if ("not" in predicate) {
    const part = couldFit(predicate.not, modality);
    return part === undefined ? undefined : !part;
  }
  if (predicate.tag !== "Modality") return undefined;
  const facts = {
    series: { studyInstanceUid: "", seriesInstanceUid: "" },
    modality,
    sliceCount: 0,
    instances: "",
    tags: new Map([["Modality", [modality]]]),
  };
  return evaluate({ when: predicate, derived: true }, facts).matches;
}
