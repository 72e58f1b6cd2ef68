/** Probabilities, 0 to 1. Upstream's are all 0.5. */
export interface MaskThresholds {
  /** A pixel belongs to a prompt above this. */
  readonly mask: number;
  /** A prompt exists in a slice above this. */
  readonly existence: number;
  /** Of two prompts whose masks overlap by more than this (intersection over union), the less certain is dropped. */
  readonly nmsIou: number;
}

/** One slice: `logits[p]` is prompt p's picture; `existence[p]` the probability that it is in this slice at all. */
export interface SlicePrompts {
  readonly logits: readonly Float32Array[];
  readonly existence: ArrayLike<number>;
}

/** The logistic function in float32, as the network's own framework computes it. */
export function probabilityOf(logit: number): number {
  return Math.fround(1 / (1 + Math.exp(-logit)));
}

/** Prompts that pass by themselves: existence above its threshold. */
export function gateByExistence({ existence }: SlicePrompts, thresholds: MaskThresholds): boolean[] {
  return Array.from(existence, (probability) => probability > thresholds.existence);
}

/**
 * Non-maximum suppression across the prompts of one slice, as upstream does it: from the most certain down, a prompt
 * with an empty mask is dropped, and one that is kept drops every other that overlaps it too much. Here a prompt whose
 * existence is AT its threshold stays in, unlike in `gateByExistence`.
 */
export function suppressOverlapping({ logits, existence }: SlicePrompts, thresholds: MaskThresholds): boolean[] {
  const keep = logits.map(() => false);
  let order = logits
    .map((_, prompt) => prompt)
    .filter((prompt) => existence[prompt]! >= thresholds.existence)
    .sort((a, b) => existence[b]! - existence[a]!);
  const cut = logitAbove(thresholds.mask);
  while (order.length > 0) {
    const [best, ...rest] = order;
    const mask = logits[best!]!;
    if (isEmpty(mask, cut)) {
      order = rest;
      continue;
    }
    keep[best!] = true;
    order = rest.filter((other) => overlap(mask, logits[other]!, cut) <= thresholds.nmsIou);
  }
  return keep;
}

/**
 * Each pixel goes to the kept prompt with the highest probability, where that is above the mask threshold; the earlier
 * prompt wins a tie. Written into `labels`: 0 is nothing, p + 1 is prompt p.
 * @param best scratch of the same length, overwritten
 */
export function mergeExclusive(
  { logits }: SlicePrompts,
  keep: readonly boolean[],
  thresholds: MaskThresholds,
  labels: Uint16Array,
  best: Float32Array,
): void {
  labels.fill(0);
  best.fill(thresholds.mask);
  const cut = logitAbove(thresholds.mask);
  for (const [prompt, picture] of logits.entries()) {
    if (!keep[prompt]) continue;
    for (let p = 0; p < picture.length; p++) {
      if (!(picture[p]! > cut)) continue;
      const probability = probabilityOf(picture[p]!);
      if (probability > best[p]!) {
        best[p] = probability;
        labels[p] = prompt + 1;
      }
    }
  }
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

function isEmpty(logits: Float32Array, cut: number): boolean {
  for (let p = 0; p < logits.length; p++) if (logits[p]! > cut) return false;
  return true;
}

function overlap(a: Float32Array, b: Float32Array, cut: number): number {
  let both = 0;
  let either = 0;
  for (let p = 0; p < a.length; p++) {
    const inA = a[p]! > cut;
    const inB = b[p]! > cut;
    if (inA && inB) both++;
    if (inA || inB) either++;
  }
  return both / either;
}
