/**
 * Who has given no sign for how long, by this process's own steady clock: what a database or a machine calls the time may be
 * set forward or back at any moment, and a sign's time then says nothing of its age.
 */
export class SilenceWatch {
  readonly #nowMs: () => number;
  /** By who gave it: the last sign, and when it was first seen here. */
  readonly #signs = new Map<string, { readonly sign: string; readonly seenAtMs: number }>();

  /** @param nowMs a clock that only rises, whatever the time of day is set to */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /**
   * @param signs of all there are, as they stand now
   * @returns those whose sign has been the same here for so long
   */
  silent(signs: ReadonlyMap<string, string>, silentMs: number): readonly string[] {
    const nowMs = this.#nowMs();
    for (const id of this.#signs.keys()) if (!signs.has(id)) this.#signs.delete(id);
    for (const [id, sign] of signs) {
      if (this.#signs.get(id)?.sign !== sign) this.#signs.set(id, { sign, seenAtMs: nowMs });
    }
    return [...this.#signs].filter(([, { seenAtMs }]) => nowMs - seenAtMs >= silentMs).map(([id]) => id);
  }
}
