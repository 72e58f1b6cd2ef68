/** Seconds spent on each named part; what is not measured apart belongs to nobody. */
export class Stopwatch<Part extends string> {
  readonly #nowMs: () => number;
  readonly #ms = new Map<Part, number>();

  /** @param nowMs a clock that only rises: the time of day may be set back in the middle of a part */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  async time<T>(part: Part, work: () => Promise<T> | T): Promise<T> {
    const start = this.#nowMs();
    try {
      return await work();
    } finally {
      this.#add(part, this.#nowMs() - start);
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
    return Math.round(this.#ms.get(part) ?? 0) / 1000;
  }

  #add(part: Part, ms: number): void {
    this.#ms.set(part, (this.#ms.get(part) ?? 0) + ms);
  }
}
