import type { Target } from "../model-card.ts";
import type { LabelsManifest } from "./manifest.ts";

/** Something that a network with fixed classes can be asked for, and the labels that make it up. */
export interface LabelTarget extends Target {
  /** Labels whose union is the whole structure, both sides. */
  readonly values: readonly number[];
  /**
   * How one side of it is told: by labels of its own, by splitting labels at the mid-sagittal plane (midline structures
   * among `values` belong to no side and are not in `paired`), or not at all.
   */
  readonly sides:
    | { readonly rule: "labels"; readonly left: readonly number[]; readonly right: readonly number[] }
    | { readonly rule: "midsagittal"; readonly paired: readonly number[] }
    | { readonly rule: "none" };
}

/** Every class (those that differ only by side joined under one name) and every composite of the manifest. */
export function labelTargets(manifest: LabelsManifest): readonly LabelTarget[] {
  const groups = Map.groupBy(manifest.classes, ({ name }) => name);
  const classes = [...groups.values()].map((group): LabelTarget => {
    const [first] = group;
    if (first === undefined) throw new RangeError("a group has a member");
    const values = group.map(({ value }) => value);
    return {
      name: first.name,
      synonyms: [...new Set(group.flatMap(({ synonyms }) => synonyms))],
      code: first.code,
      values,
      sides: sidesOf(manifest, values),
    };
  });
  const composites = manifest.composites.map(({ values, ...target }): LabelTarget => {
    return { ...target, values, sides: sidesOf(manifest, values) };
  });
  return [...classes, ...composites];
}

function sidesOf(manifest: LabelsManifest, values: readonly number[]): LabelTarget["sides"] {
  const members = manifest.classes.filter(({ value }) => values.includes(value));
  const of = (side: string) => members.filter((member) => member.side === side).map(({ value }) => value);
  switch (manifest.sides.rule) {
    case "labels": {
      const [left, right] = [of("left"), of("right")];
      return left.length > 0 && right.length > 0 ? { rule: "labels", left, right } : { rule: "none" };
    }
    case "midsagittal": {
      const paired = of("both");
      return paired.length > 0 ? { rule: "midsagittal", paired } : { rule: "none" };
    }
    case "none":
      return { rule: "none" };
    default:
      return manifest.sides satisfies never;
  }
}
