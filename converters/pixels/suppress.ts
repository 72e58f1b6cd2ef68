/** Probabilities, 0 to 1. Upstream's are all 0.5. */
export interface MaskThresholds {
  /** A pixel belongs to a prompt above this. */
  readonly mask: number;
  /** A prompt exists in a slice above this. */
  readonly existence: number;
  /** Of two prompts whose masks overlap by more than this (intersection over union), the less certain is dropped. */
  readonly nmsIou: number;
}

/** One slice. `existence[p]` is the probability that prompt p is in it at all. */
export interface SlicePrompts {
  readonly existence: readonly number[];
  /** Prompt p's picture, 1 where it is above the mask threshold, else 0; undefined where nothing is. */
  readonly masks: readonly (Uint8Array | undefined)[];
  /** The same as logits; good until the next slice. */
  logits(prompt: number): Float32Array;
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
 */
export function suppressOverlapping({ masks, existence }: SlicePrompts, thresholds: MaskThresholds): boolean[] {
  const keep = masks.map(() => false);
  const known = masks.map((mask) => mask && inWords(mask));
  let order = [...masks.keys()]
    .filter((prompt) => known[prompt] && existence[prompt]! >= thresholds.existence)
    .sort((a, b) => existence[b]! - existence[a]!);
  while (order.length > 0) {
    const [best, ...rest] = order;
    keep[best!] = true;
    order = rest.filter((other) => overlap(known[best!]!, known[other]!) <= thresholds.nmsIou);
  }
  return keep;
}

/**
 * Each pixel goes to the kept prompt with the highest probability, where that is above the mask threshold; the earlier
 * prompt wins a tie. Written into `labels`: 0 is nothing, p + 1 is prompt p. Only where masks meet are probabilities looked at.
 */
export function mergeExclusive(slice: SlicePrompts, keep: readonly boolean[], labels: Uint16Array): Uint16Array {
  labels.fill(0);
  const pictures = new Map<number, Float32Array>();
  const pictureOf = (prompt: number) => {
    const picture = pictures.get(prompt) ?? slice.logits(prompt);
    pictures.set(prompt, picture);
    return picture;
  };
  for (const [prompt, mask] of slice.masks.entries()) {
    if (!keep[prompt] || !mask) continue;
    const { words, first, end } = inWords(mask);
    for (let w = first; w < end; w++) {
      if (words[w] === 0) continue;
      for (let p = 4 * w; p < Math.min(4 * w + 4, mask.length); p++) {
        if (mask[p] === 0) continue;
        const other = labels[p]! - 1;
        if (other >= 0 && probabilityOf(pictureOf(other)[p]!) >= probabilityOf(pictureOf(prompt)[p]!)) continue;
        labels[p] = prompt + 1;
      }
    }
  }
  return labels;
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

/** A mask four pixels at a time. */
interface MaskWords {
  readonly words: Uint32Array;
  /** Words with pixels lie from here to before `end`. */
  readonly first: number;
  readonly end: number;
  readonly count: number;
}

function inWords(mask: Uint8Array): MaskWords {
  const isWhole = mask.byteOffset % 4 === 0 && mask.length % 4 === 0;
  const bytes = isWhole ? mask : new Uint8Array(Math.ceil(mask.length / 4) * 4);
  if (!isWhole) bytes.set(mask);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  let [first, end, count] = [words.length, 0, 0];
  for (let w = 0; w < words.length; w++) {
    const word = words[w]!;
    if (word === 0) continue;
    if (first === words.length) first = w;
    end = w + 1;
    count += onesOf(word);
  }
  return { words, first, end, count };
}

/** Intersection over union. */
function overlap(a: MaskWords, b: MaskWords): number {
  let both = 0;
  const end = Math.min(a.end, b.end);
  for (let w = Math.max(a.first, b.first); w < end; w++) both += onesOf(a.words[w]! & b.words[w]!);
  return both / (a.count + b.count - both);
}

/** Of four bytes that are 0 or 1 each, how many are 1. */
function onesOf(word: number): number {
  return Math.imul(word, 0x01010101) >>> 24;
}
