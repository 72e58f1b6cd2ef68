/** Lets one caller in at a time, in the order of asking. */
export class LeaseQueue {
  readonly #waiting: (() => void)[] = [];
  #taken = false;

  get busy(): boolean {
    return this.#taken;
  }

  /**
   * Resolves when the caller's turn has come; disposing of the lease lets the next one in.
   * @throws the signal's reason, when it aborts first: the caller has then left the queue.
   */
  async acquire(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#taken) await this.#turn(signal);
    this.#taken = true;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        const next = this.#waiting.shift();
        if (next) next();
        else this.#taken = false;
      },
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const enter = () => {
      signal.removeEventListener("abort", leave);
      resolve();
    };
    const leave = () => {
      this.#waiting.splice(this.#waiting.indexOf(enter), 1);
      reject(signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
    this.#waiting.push(enter);
    return promise;
  }
}
