/** Wakes those of this process who wait for news of a job. */
export class Bell {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Resolves at the next ring for the job; ask for it before looking, so that nothing happens unseen in between. */
  next(jobId: string): { readonly rung: Promise<void> } & Disposable {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = this.#waiting.get(jobId) ?? new Set();
    this.#waiting.set(jobId, waiting.add(resolve));
    return {
      rung: promise,
      [Symbol.dispose]: () => {
        waiting.delete(resolve);
        if (waiting.size === 0 && this.#waiting.get(jobId) === waiting) this.#waiting.delete(jobId);
      },
    };
  }

  ring(jobId: string): void {
    for (const wake of this.#waiting.get(jobId) ?? []) wake();
  }

  ringAll(): void {
    for (const jobId of this.#waiting.keys()) this.ring(jobId);
  }
}
