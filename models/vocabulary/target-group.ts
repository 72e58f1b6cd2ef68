import type { Target } from "../model-card.ts";

/** CT windows that show a target, as upstream names its presets. */
export type WindowName = "soft-tissue" | "lung" | "brain" | "bone";

/** A target that the model was trained on. */
export interface RecommendedTarget extends Target {
  /** Part of the body, or group of tissues: how a list of targets is divided. */
  readonly region: string;
  /** For CT only. */
  readonly window?: WindowName;
}

/** Targets that stand together on the model card. */
export interface TargetGroup {
  readonly region: string;
  readonly window?: WindowName;
  readonly targets: readonly Target[];
}

/** A target, and what else it is called. */
export function target(name: string, ...synonyms: readonly string[]): Target {
  return { name, synonyms };
}

/** Targets that go by one name each. */
export function targets(...names: readonly string[]): readonly Target[] {
  return names.map((name) => target(name));
}

/** The left and the right one of each name; synonyms take the side too. */
export function bothSides(...names: readonly (string | Target)[]): readonly Target[] {
  return names.flatMap((one) => {
    const { name, synonyms } = typeof one === "string" ? target(one) : one;
    return ["left", "right"].map((side) =>
      target(`${side} ${name}`, ...synonyms.map((synonym) => `${side} ${synonym}`)),
    );
  });
}

/** Vertebrae from the first of the neck to the first of the sacrum. */
export function vertebrae(): readonly Target[] {
  const levels = (
    [
      ["c", 7],
      ["t", 12],
      ["l", 5],
      ["s", 1],
    ] as const
  ).flatMap(([letter, count]) => Array.from({ length: count }, (_, n) => `${letter}${n + 1}`));
  return levels.map((level) => target(`vertebra ${level}`, `${level} vertebra`, level));
}
