import type { VocabularyView } from "#server/contract/index.ts";

type Target = VocabularyView["targets"][number];

/** The prompts of a line: what stands between commas, semicolons or line ends; each once. */
export function splitPrompts(text: string): readonly string[] {
  const words = text.split(/[,;\n]/).map((word) => word.trim().replace(/\s+/g, " "));
  return [...new Set(words.filter((word) => word !== ""))];
}

/** The part of the line that the caret stands in, and what is around it. */
export function promptAt(text: string, caret: number): { readonly start: number; readonly end: number } {
  const start = Math.max(...[",", ";", "\n"].map((separator) => text.lastIndexOf(separator, caret - 1))) + 1;
  const end = text.slice(caret).search(/[,;\n]/);
  return { start, end: end < 0 ? text.length : caret + end };
}

/** The line with the prompt at the caret replaced. */
export function replacePromptAt(text: string, caret: number, prompt: string): string {
  const { start, end } = promptAt(text, caret);
  return `${text.slice(0, start)}${start > 0 ? " " : ""}${prompt}${text.slice(end)}`;
}

/**
 * Targets that the typed words may mean, the likeliest first: names that begin with them, then names in which a word
 * begins with them, then those that a synonym begins with, then those of which each typed word begins a word. Of what comes
 * in two sides, each side is a target as well.
 */
export function completions(typed: string, vocabulary: VocabularyView | undefined, limit: number): readonly Target[] {
  const typedName = normal(typed);
  const targets = vocabulary?.targets ?? [];
  if (typedName === "") return targets.slice(0, limit);
  const rank = ({ name, synonyms }: Target): number => {
    const own = normal(name);
    if (own.startsWith(typedName)) return 0;
    if (` ${own}`.includes(` ${typedName}`)) return 1;
    const others = synonyms.map(normal);
    if (others.some((other) => other.startsWith(typedName))) return 2;
    if ([own, ...others].some((one) => beginsWords(one, typedName))) return 3;
    return own.includes(typedName) ? 4 : 5;
  };
  return withSides(targets)
    .map((target) => ({ target, rank: rank(target) }))
    .filter((item) => item.rank < 5)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, limit)
    .map(({ target }) => target);
}

function beginsWords(name: string, typed: string): boolean {
  return typed.split(" ").every((part) => ` ${name}`.includes(` ${part}`));
}

/** The sides stand after all others, and not where another model knows one by that name. */
function withSides(targets: readonly Target[]): readonly Target[] {
  const names = new Set(targets.map(({ name }) => normal(name)));
  const sides = targets
    .filter(({ sided }) => sided)
    .flatMap((target) =>
      ["left", "right"].map((side) => ({
        ...target,
        name: `${side} ${target.name}`,
        synonyms: target.synonyms.map((synonym) => `${side} ${synonym}`),
      })),
    );
  return [...targets, ...sides.filter(({ name }) => !names.has(normal(name)))];
}

/** The prompts that no installed model lists, by name or synonym; vocabularies name structures of two sides once. */
export function unlisted(prompts: readonly string[], { targets }: VocabularyView): readonly string[] {
  const known = new Set(targets.flatMap(({ name, synonyms }) => [name, ...synonyms].map(normal)));
  return prompts
    .map(normal)
    .flatMap((name, n) => (known.has(name) || known.has(name.replace(/^(left|right) /, "")) ? [] : (prompts[n] ?? [])));
}

function normal(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, " ");
}
