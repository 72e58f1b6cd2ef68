import { type LabelTarget, resolveTarget } from "#models/index.ts";
import { InvalidPromptError } from "../domain/errors.ts";

/** The labels that answer a prompt; with `side`, only their voxels on that side of the body. */
export interface AskedLabels {
  readonly values: ReadonlySet<number>;
  readonly side?: "left" | "right";
}

/** @throws InvalidPromptError, with what can be asked instead, where the words name no class of the network */
export function askedLabels(text: string, targets: readonly LabelTarget[]): AskedLabels {
  const resolution = resolveTarget(text, targets);
  if (resolution.kind === "unknown") {
    throw new InvalidPromptError(
      "This network knows a fixed list of structures, and the prompt names none of them. Ask for one of the suggestions.",
      resolution.suggestions,
    );
  }
  const { target, side } = resolution;
  const { sides, values } = target;
  if (side === undefined) return { values: new Set(values) };
  switch (sides.rule) {
    case "labels":
      return { values: new Set(sides[side]) };
    case "midsagittal":
      return { values: new Set(sides.paired), side };
    case "none":
      throw new InvalidPromptError(
        `This network does not tell left from right in "${target.name}". Ask for "${target.name}" as a whole.`,
        [target.name],
      );
    default:
      return sides satisfies never;
  }
}
