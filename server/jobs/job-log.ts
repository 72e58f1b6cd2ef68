import { hasEnded, type JobEvent, type JobNews } from "./job.ts";

/** The events of one job: all states, the latest finding of each prompt, the latest progress. */
export class JobLog {
  #events: readonly JobEvent[] = [];
  #lastId = 0;
  readonly #readers = new Set<() => void>();

  append(news: JobNews, at: Date): void {
    this.#lastId += 1;
    this.#events = [...this.#events.filter((event) => !replaces(news, event)), { id: this.#lastId, at, ...news }];
    for (const wake of this.#readers) wake();
  }

  /** Events after `after`, as they come; ends behind the job's last event, or when the signal aborts. */
  async *follow(after: number, signal: AbortSignal): AsyncGenerator<JobEvent> {
    let seen = after > this.#lastId ? 0 : after;
    let wake = () => {};
    const onNews = () => wake();
    this.#readers.add(onNews);
    signal.addEventListener("abort", onNews);
    try {
      while (!signal.aborted) {
        const next = this.#events.find(({ id }) => id > seen);
        if (next) {
          seen = next.id;
          yield next;
        } else if (this.#isClosed()) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      this.#readers.delete(onNews);
      signal.removeEventListener("abort", onNews);
    }
  }

  #isClosed(): boolean {
    const last = this.#events.at(-1);
    return last?.type === "state" && hasEnded(last.job);
  }
}

function replaces(news: JobNews, old: JobEvent): boolean {
  if (news.type === "progress") return old.type === "progress";
  return news.type === "finding" && old.type === "finding" && news.finding.prompt.id === old.finding.prompt.id;
}
