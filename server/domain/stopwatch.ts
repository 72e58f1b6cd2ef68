/** Seconds spent on each named part; what is not measured apart belongs to nobody. */
export class Stopwatch<Part extends string> {
  readonly #now: () => Date;
  readonly #ms = new Map<Part, number>();

  constructor(now: () => Date) {
    this.#now = now;
  }

  async time<T>(part: Part, work: () => Promise<T> | T): Promise<T> {
    const start = this.#now().getTime();
    try {
      return await work();
    } finally {
      this.#add(part, Math.max(0, this.#now().getTime() - start));
    }
  }

  /** The same items; the time spent waiting for them counts as `part`. */
  async *waiting<T>(part: Part, items: AsyncIterable<T>): AsyncGenerator<T> {
    const iterator = items[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.time(part, () => iterator.next());
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  seconds(part: Part): number {
    return (this.#ms.get(part) ?? 0) / 1000;
  }

  #add(part: Part, ms: number): void {
    this.#ms.set(part, (this.#ms.get(part) ?? 0) + ms);
  }
}
