import { type ModelCard, recommendedTargets, regionsOfBodyPart, resolveTarget, type Target } from "#models/index.ts";
import { InvalidPromptError } from "./errors.ts";
import type { Finding } from "./finding.ts";
import type { SegmentOptions } from "./ports.ts";
import { mostPrompts, type Prompt } from "./prompt.ts";
import type { PromptMask } from "./prompt-mask.ts";
import type { Question } from "./question.ts";

/** What is known of an image before a model has seen it. */
export interface ImageFacts {
  readonly modality: string;
  /** Body Part Examined (0018,0015); absent where the image does not say. */
  readonly bodyPart?: string | undefined;
}

/**
 * All that a model can be asked of an image: of a closed vocabulary, and of a short list, its targets; else the recommended
 * targets of the modality and the body part, in the vocabulary's order. A body part for which nothing is recommended counts as
 * unknown.
 */
export function recognisableTargets({ modality, bodyPart }: ImageFacts, card: ModelCard): readonly Target[] {
  const isShort = card.targets.length > 0 && card.targets.length <= mostPrompts;
  if (card.vocabulary === "closed" || isShort) return card.targets;
  const known = new Set(card.targets.map(({ name }) => name));
  const all = recommendedTargets(modality).filter(({ name }) => known.size === 0 || known.has(name));
  if (all.length === 0) return card.targets;
  const regions = regionsOfBodyPart(bodyPart);
  const here = regions ? all.filter(({ region }) => regions.has(region)) : all;
  return here.length === 0 ? all : here;
}

/**
 * The prompts of a recognition: those that were asked, then every target that none of them names.
 * @throws InvalidPromptError where there is nothing to ask
 */
export function recognitionPrompts(asked: readonly Prompt[], facts: ImageFacts, card: ModelCard): readonly Prompt[] {
  const targets = recognisableTargets(facts, card);
  const named = new Set(asked.flatMap(({ text }) => nameOf(text, targets) ?? []));
  const further = targets.filter(({ name }) => !named.has(name));
  if (asked.length + further.length === 0) {
    throw new InvalidPromptError(
      `${card.title} has no list of things to look for in ${facts.modality} images. Name them as prompts.`,
    );
  }
  return [...asked, ...further.map(({ name }, n) => ({ id: `p${asked.length + n + 1}`, text: name }))];
}

/**
 * What is likely to be asked after these prompts, likeliest first: the targets that stand with them in the vocabulary, then
 * the others of the modality and body part.
 */
export function likelyNext(asked: readonly Prompt[], facts: ImageFacts, card: ModelCard): readonly string[] {
  const targets = recognisableTargets(facts, card);
  const named = new Set(asked.flatMap(({ text }) => nameOf(text, targets) ?? []));
  const places = [...targets.keys()].filter((place) => named.has(targets[place]!.name));
  const distance = (place: number) => Math.min(...places.map((other) => Math.abs(place - other)), targets.length);
  return [...targets.keys()]
    .filter((place) => !named.has(targets[place]!.name))
    .sort((a, b) => distance(a) - distance(b) || a - b)
    .map((place) => targets[place]!.name);
}

/** For the model's port: what may be asked next of a network here. A recognition has asked for all of it; rules are quick. */
export function anticipationOf(
  { prompts, anticipate, recognise }: Pick<Question, "prompts" | "anticipate" | "recognise">,
  facts: ImageFacts,
  card: ModelCard,
): Pick<SegmentOptions, "anticipate"> {
  const isNetwork = card.engine === "bundle" && card.algorithmFamily === "artificial-intelligence";
  if (recognise || anticipate === 0 || !isNetwork) return {};
  const candidates = likelyNext(prompts, facts, card);
  return { anticipate: { candidates, ...(anticipate !== undefined && { most: anticipate }) } };
}

/** The best first: what has a mask, by its score; then what has none, by its score. */
export function byLikelihood(masks: readonly PromptMask[]): readonly PromptMask[] {
  const hasMask = new Map(masks.map((one) => [one, one.mask.bits.some((byte) => byte !== 0)]));
  const rank = (one: PromptMask) => (hasMask.get(one) ? 2 : 0) + (one.score ?? 0);
  return masks.toSorted((a, b) => rank(b) - rank(a));
}

/** What can be said of a prompt as soon as it is seen anywhere: its full finding follows when the whole volume is done. */
export function sightingOf({ prompt, score }: PromptMask): Finding {
  const notes = ["Seen so far; the rest of the volume is still being looked at."];
  return { prompt, present: true, score, slices: [], voxels: 0, components: [], notes };
}

function nameOf(text: string, targets: readonly Target[]): string | undefined {
  const found = resolveTarget(text, targets);
  return found.kind === "found" && found.score === 1 ? found.target.name : undefined;
}
