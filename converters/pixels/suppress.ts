/** Probabilities, 0 to 1. Upstream's are all 0.5. */
export interface MaskThresholds {
  /** A pixel belongs to a prompt above this. */
  readonly mask: number;
  /** A prompt exists in a slice above this. */
  readonly existence: number;
  /** Of two prompts whose masks overlap by more than this (intersection over union), the less certain is dropped. */
  readonly nmsIou: number;
}

/** The logistic function in float32, as the network's own framework computes it. */
export function probabilityOf(logit: number): number {
  return Math.fround(1 / (1 + Math.exp(-logit)));
}

/** Prompts that pass by themselves: existence above its threshold. */
export function gateByExistence(existence: readonly number[], thresholds: MaskThresholds): boolean[] {
  return existence.map((probability) => probability > thresholds.existence);
}

/**
 * Non-maximum suppression across the prompts of one slice, as upstream does it: from the most certain down, a prompt
 * with an empty mask is dropped, and one that is kept drops every other that overlaps it too much. Here a prompt whose
 * existence is AT its threshold stays in, unlike in `gateByExistence`.
 * @param pixels of each prompt's mask
 * @param common pixels that two prompts' masks share
 * @returns those that are kept, in their order
 */
export function suppressOverlapping(
  existence: readonly number[],
  pixels: readonly number[],
  common: (a: number, b: number) => number,
  thresholds: MaskThresholds,
): readonly number[] {
  const kept: number[] = [];
  let order = [...existence.keys()]
    .filter((prompt) => pixels[prompt]! > 0 && existence[prompt]! >= thresholds.existence)
    .sort((a, b) => existence[b]! - existence[a]!);
  while (order.length > 0) {
    const [best, ...rest] = order as [number, ...number[]];
    kept.push(best);
    order = rest.filter((other) => {
      const both = common(best, other);
      return both / (pixels[best]! + pixels[other]! - both) <= thresholds.nmsIou;
    });
  }
  return kept.sort((a, b) => a - b);
}

/** The largest logit whose float32 probability is still not above the threshold: comparing logits spares the exponential. */
export function logitAbove(threshold: number): number {
  if (threshold <= 0) return -Infinity;
  if (threshold >= 1) return Infinity;
  return lastLogit((probability) => probability <= threshold);
}

/** The largest float32 logit whose probability is still `low`, which is so up to some probability between 0 and 1. */
export function lastLogit(low: (probability: number) => boolean): number {
  let before = -110;
  let after = 110;
  while (true) {
    const middle = Math.fround((before + after) / 2);
    if (middle === before || middle === after) return before;
    if (low(probabilityOf(middle))) before = middle;
    else after = middle;
  }
}
