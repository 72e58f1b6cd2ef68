/**
 * Does `work` for each item, at most `window` of them at a time, and yields what comes out in the order of the items. The
 * next item begins when the oldest result was taken, so that results never pile up. Where one fails, no other begins, and
 * those under way are waited for.
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  window: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void, void> {
  const underWay: Promise<Result>[] = [];
  const begin = (item: Item) => {
    const result = work(item);
    // Its fault is heard when its turn comes; until then it is not unheard.
    result.catch(() => {});
    underWay.push(result);
  };
  try {
    for (const item of items) {
      begin(item);
      if (underWay.length >= window) yield await underWay.shift()!;
    }
    while (underWay.length > 0) yield await underWay.shift()!;
  } finally {
    await Promise.allSettled(underWay);
  }
}
