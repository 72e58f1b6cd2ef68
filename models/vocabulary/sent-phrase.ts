import type { ModelCard, Target } from "../model-card.ts";
import { resolveTarget } from "../resolve-target.ts";
import { phraseOf } from "./phrase.ts";
import { recommendedTargets } from "./recommended-targets.ts";

/**
 * The sentence that a model is asked in place of a prompt's words; undefined where the words go to it as typed: they do
 * unless the model is asked in sentences, and the words name, by its name or a synonym and with its side, one target that is
 * recommended for the modality. A spelling that is merely near is no name. Of a model without a list of its own the whole
 * vocabulary counts as recommended, as in a recognition.
 */
export function sentPhrase(
  text: string,
  modality: string,
  { phrasing, vocabulary, targets }: Pick<ModelCard, "phrasing" | "vocabulary" | "targets">,
): string | undefined {
  if (phrasing !== "sentence") return undefined;
  const words = vocabulary === "closed" ? nameIn(text, targets) : text;
  const known = new Set(targets.map(({ name }) => name));
  const recommended = recommendedTargets(modality).filter(({ name }) => known.size === 0 || known.has(name));
  const target = named(words, recommended);
  return target && phraseOf(target.name, modality);
}

/** The sentences of a target, by the modalities that it is recommended for; undefined where it is for none. */
export function phrasesOf(name: string, modalities: readonly string[]): Readonly<Record<string, string>> | undefined {
  const phrases = modalities.flatMap((modality) => {
    const phrase = phraseOf(name, modality);
    return phrase === undefined ? [] : [[modality, phrase] as const];
  });
  return phrases.length === 0 ? undefined : Object.fromEntries(phrases);
}

function nameIn(text: string, targets: readonly Target[]): string {
  const found = resolveTarget(text, targets);
  return found.kind === "found" ? found.target.name : text;
}

/** The target whose name or synonym the words are, letter by letter; else the only one that they can mean. */
function named<T extends Target>(words: string, targets: readonly T[]): T | undefined {
  const typed = words.trim().toLowerCase().replace(/\s+/g, " ");
  const exact = targets.find(({ name }) => name === typed) ?? targets.find(({ synonyms }) => synonyms.includes(typed));
  if (exact) return exact;
  const [first, ...others] = targets.filter((target) => means(words, target));
  return others.length === 0 ? first : undefined;
}

/** A side that the target does not have would be lost in its sentence. */
function means(words: string, target: Target): boolean {
  const found = resolveTarget(words, [target]);
  return found.kind === "found" && found.score === 1 && (found.side === undefined || target.name.includes(found.side));
}
