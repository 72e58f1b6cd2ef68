import { resolveTarget, type Target } from "#models/index.ts";
import { InvalidPromptError } from "../domain/errors.ts";

/** What a prompt names of a closed vocabulary, and the side where the prompt names one and the target's own name does not. */
export interface NamedTarget<T extends Target> {
  readonly target: T;
  readonly side?: "left" | "right";
}

/** @throws InvalidPromptError, with what can be asked instead, where the words name none of the targets */
export function namedTarget<T extends Target>(text: string, targets: readonly T[]): NamedTarget<T> {
  const resolution = resolveTarget(text, targets);
  if (resolution.kind === "found") return resolution;
  throw new InvalidPromptError(
    "This network knows a fixed list of structures, and the prompt names none of them. Ask for one of the suggestions.",
    resolution.suggestions,
  );
}

/** The same for a network that knows no sides but those in its targets' names. */
export function knownTarget<T extends Target>(text: string, targets: readonly T[]): T {
  const { target, side } = namedTarget(text, targets);
  if (side === undefined) return target;
  throw unsided(target);
}

export function unsided({ name }: Target): InvalidPromptError {
  return new InvalidPromptError(
    `This network does not tell left from right in "${name}". Ask for "${name}" as a whole.`,
    [name],
  );
}
