import type { LabelTarget } from "#models/index.ts";
import { namedTarget, unsided } from "./known-target.ts";

/** The labels that answer a prompt; with `side`, only their voxels on that side of the body. */
export interface AskedLabels {
  readonly values: ReadonlySet<number>;
  readonly side?: "left" | "right";
}

/** @throws InvalidPromptError, with what can be asked instead, where the words name no class of the network */
export function askedLabels(text: string, targets: readonly LabelTarget[]): AskedLabels {
  const { target, side } = namedTarget(text, targets);
  const { sides, values } = target;
  if (side === undefined) return { values: new Set(values) };
  switch (sides.rule) {
    case "labels":
      return { values: new Set(sides[side]) };
    case "midsagittal":
      return { values: new Set(sides.paired), side };
    case "none":
      throw unsided(target);
    default:
      return sides satisfies never;
  }
}
