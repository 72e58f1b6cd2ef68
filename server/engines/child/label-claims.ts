import type { MergeMode } from "../../domain/ports.ts";
import type { AskedLabels } from "../label-questions.ts";
import { LEFT, RIGHT } from "./label-map.ts";

/** Which voxels a prompt gets: 1 at `label * SIDES + side`, side as in a LabelMap. */
export type LabelClaim = Uint8Array;

export const SIDES = 3;

/**
 * One claim for each prompt. Where `exclusive`, a voxel that several ask for goes to the one that asks most narrowly: fewest
 * labels, then one side before both, then the first. So "brain" beside "hippocampus" is the rest of the brain.
 */
export function claimLabels(asked: readonly AskedLabels[], merge: MergeMode): readonly LabelClaim[] {
  const wants = ({ values, side }: AskedLabels, label: number, at: number) =>
    values.has(label) && (side === undefined || at === (side === "left" ? LEFT : RIGHT));
  const narrowFirst = [...asked.keys()].toSorted((a, b) => breadth(asked[a]!) - breadth(asked[b]!));
  const claims = asked.map(() => new Uint8Array(256 * SIDES));
  for (let label = 1; label < 256; label++) {
    for (let side = 0; side < SIDES; side++) {
      const wanting = narrowFirst.filter((prompt) => wants(asked[prompt]!, label, side));
      const granted = merge === "exclusive" ? wanting.slice(0, 1) : wanting;
      for (const prompt of granted) claims[prompt]![label * SIDES + side] = 1;
    }
  }
  return claims;
}

function breadth({ values, side }: AskedLabels): number {
  return 2 * values.size - (side === undefined ? 0 : 1);
}
