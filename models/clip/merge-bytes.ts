import { type ClipVocabulary, type Merge, mergeKey } from "./vocabulary.ts";

interface Candidate {
  readonly merge: Merge;
  /** Position of the left symbol, and the ids that were there: the candidate is stale where they have changed. */
  readonly at: number;
  readonly left: number;
  readonly right: number;
}

/**
 * Byte-pair encoding of one word: the neighbours of lowest rank become one, everywhere at once and from left to right,
 * until no neighbours can. O(n log n) in the word's bytes: symbols are a linked list, candidates a heap.
 */
export function mergeBytes(word: Uint8Array, { byteIds, finalByteIds, merges }: ClipVocabulary): readonly number[] {
  const last = word.length - 1;
  const symbols = Int32Array.from(word, (byte, n) => (n === last ? finalByteIds : byteIds)[byte] ?? -1);
  const next = Int32Array.from(word, (_, n) => (n === last ? -1 : n + 1));
  const previous = Int32Array.from(word, (_, n) => n - 1);
  const heap = new CandidateHeap();
  const consider = (at: number) => {
    const after = at < 0 ? -1 : next[at]!;
    if (after < 0) return;
    const [left, right] = [symbols[at]!, symbols[after]!];
    const merge = merges.get(mergeKey(left, right));
    if (merge !== undefined) heap.push({ merge, at, left, right });
  };
  for (let at = 0; at < last; at++) consider(at);
  for (let round = heap.popRound(); round.length > 0; round = heap.popRound()) {
    const merged: number[] = [];
    for (const { merge, at, left, right } of round) {
      const after = next[at]!;
      if (symbols[at] !== left || after < 0 || symbols[after] !== right) continue;
      symbols[at] = merge.id;
      symbols[after] = -1;
      next[at] = next[after]!;
      if (next[at]! >= 0) previous[next[at]!] = at;
      next[after] = -1;
      merged.push(at);
    }
    for (const at of merged) {
      consider(at);
      consider(previous[at]!);
    }
  }
  return [...symbols].filter((symbol) => symbol >= 0);
}

/** Lowest rank first, then leftmost. */
class CandidateHeap {
  readonly #items: Candidate[] = [];

  push(item: Candidate): void {
    const items = this.#items;
    let child = items.push(item) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!before(items[child]!, items[parent]!)) break;
      [items[child], items[parent]] = [items[parent]!, items[child]!];
      child = parent;
    }
  }

  /** All candidates of the lowest rank, from left to right. */
  popRound(): readonly Candidate[] {
    const round: Candidate[] = [];
    const rank = this.#items[0]?.merge.rank;
    while (this.#items[0] !== undefined && this.#items[0].merge.rank === rank) round.push(this.#pop());
    return round;
  }

  #pop(): Candidate {
    const items = this.#items;
    const top = items[0]!;
    const moved = items.pop()!;
    if (items.length === 0) return top;
    items[0] = moved;
    for (let parent = 0; ; ) {
      let first = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2])
        if (child < items.length && before(items[child]!, items[first]!)) first = child;
      if (first === parent) return top;
      [items[parent], items[first]] = [items[first]!, items[parent]!];
      parent = first;
    }
  }
}

function before(a: Candidate, b: Candidate): boolean {
  return a.merge.rank === b.merge.rank ? a.at < b.at : a.merge.rank < b.merge.rank;
}
