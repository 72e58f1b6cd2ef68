import { type Job, type Priority, priorities } from "./job.ts";

interface Waiting {
  readonly job: Job;
}

/** What waits, the most urgent first, then first come first served. */
export class WaitingLine<T extends Waiting> {
  readonly #waiting: T[] = [];

  get length(): number {
    return this.#waiting.length;
  }

  push(item: T): void {
    this.#waiting.push(item);
  }

  /** Takes the next one out. */
  take(): T | undefined {
    const most = Math.min(...this.#waiting.map(urgency));
    const next = this.#waiting.find((item) => urgency(item) === most);
    if (next) this.remove(next);
    return next;
  }

  remove(item: T): void {
    const index = this.#waiting.indexOf(item);
    if (index >= 0) this.#waiting.splice(index, 1);
  }

  /** How many are at least as urgent. */
  ahead(priority: Priority): number {
    return this.#waiting.filter((item) => urgency(item) <= priorities.indexOf(priority)).length;
  }
}

function urgency({ job }: Waiting): number {
  return priorities.indexOf(job.priority);
}
