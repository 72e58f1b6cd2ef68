/** What an event stream is made of; `data` is the whole event as JSON. */
interface StreamedEvent {
  readonly id: number;
  readonly type: string;
}

/**
 * Events in the event stream format (HTML standard, section 9.2), one string for each. A comment line comes whenever
 * nothing else did for `heartbeatMs`. Pulled, never pushed: a slow reader slows the events, not the memory.
 */
export async function* toEventStream(
  events: AsyncIterable<StreamedEvent>,
  { heartbeatMs }: { readonly heartbeatMs: number },
): AsyncGenerator<string> {
  const iterator = events[Symbol.asyncIterator]();
  yield "retry: 2000\n\n";
  try {
    let next = iterator.next();
    for (;;) {
      const quiet = Promise.withResolvers<"quiet">();
      const timer = setTimeout(() => quiet.resolve("quiet"), heartbeatMs);
      const first = await Promise.race([next, quiet.promise]);
      clearTimeout(timer);
      if (first === "quiet") {
        yield ": still here\n\n";
        continue;
      }
      if (first.done) return;
      const { id, type } = first.value;
      yield `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(first.value)}\n\n`;
      next = iterator.next();
    }
  } finally {
    await iterator.return?.();
  }
}
