/**
 * Results in the order in which they are ready, `limit` at work at a time. A failure, and ending the iteration early,
 * stops the others and waits for them.
 */
export async function* concurrently<T, R>(
  items: readonly T[],
  limit: number,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<R>,
): AsyncGenerator<R, void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const running = new Map<T, Promise<{ readonly item: T; readonly result: R }>>();
  let next = 0;
  try {
    while (next < items.length || running.size > 0) {
      for (; running.size < limit && next < items.length; next++) {
        const item = items[next] as T;
        running.set(
          item,
          work(item, either).then((result) => ({ item, result })),
        );
      }
      const { item, result } = await Promise.race(running.values());
      running.delete(item);
      yield result;
    }
  } finally {
    stop.abort();
    await Promise.allSettled(running.values());
  }
}
