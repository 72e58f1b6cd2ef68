/** Neighbouring slices that go through the network together. */
export interface SliceBatch {
  readonly first: number;
  readonly count: number;
}

/**
 * All slices once, in batches: in order, or from slice `from` outwards, one batch on this side, one on that. The first batch
 * then has `from` in its middle.
 */
export function walkSlices(planes: number, most: number, from?: number): readonly SliceBatch[] {
  const start = from === undefined ? 0 : Math.max(0, Math.min(from, planes - 1) - Math.floor((most - 1) / 2));
  const after = batches(start, planes, most);
  const before = batches(0, start, most, true).toReversed();
  if (before.length === 0) return after;
  const [middle, ...further] = after;
  const turns = Math.max(before.length, further.length);
  const outwards = Array.from({ length: turns }, (_, n) => [further[n], before[n]]).flat();
  return [middle, ...outwards].filter((batch) => batch !== undefined);
}

/** @param fromEnd whether the batch that is left over is the first */
function batches(start: number, end: number, most: number, fromEnd = false): SliceBatch[] {
  const count = end - start;
  const first = fromEnd ? count % most : 0;
  const starts = [
    ...(first > 0 ? [0] : []),
    ...Array.from({ length: Math.ceil((count - first) / most) }, (_, n) => first + n * most),
  ];
  return starts.map((at, n) => ({
    first: start + at,
    count: Math.min((starts[n + 1] ?? count) - at, most),
  }));
}
