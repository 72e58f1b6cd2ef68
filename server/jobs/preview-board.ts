import type { PreviewSlice } from "#server/domain/index.ts";

/** Run lengths that one job's board holds; beyond, the slices that were told first go. */
const MOST_RUNS = 2_000_000;

interface Pinned {
  readonly version: number;
  readonly slice: PreviewSlice;
}

/** What a running job has finished: of each prompt and slice the latest. Only in memory, and only while the job runs. */
export class PreviewBoard {
  /** In the order of their versions. */
  readonly #pinned = new Map<string, Pinned>();
  #version = 0;
  #runs = 0;

  pin(slices: readonly PreviewSlice[]): void {
    for (const slice of slices) {
      const place = `${slice.promptId} ${slice.sliceIndex}`;
      this.#take(place);
      this.#pinned.set(place, { version: ++this.#version, slice });
      this.#runs += slice.runs.length;
    }
    for (const place of this.#pinned.keys()) {
      if (this.#runs <= MOST_RUNS) break;
      this.#take(place);
    }
  }

  /** The next one that was pinned after `version`. */
  next(version: number): Pinned | undefined {
    if (version >= this.#version) return undefined;
    for (const pinned of this.#pinned.values()) if (pinned.version > version) return pinned;
    return undefined;
  }

  clear(): void {
    this.#pinned.clear();
    this.#runs = 0;
  }

  #take(place: string): void {
    this.#runs -= this.#pinned.get(place)?.slice.runs.length ?? 0;
    this.#pinned.delete(place);
  }
}
