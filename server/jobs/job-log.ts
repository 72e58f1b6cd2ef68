import type { PreviewSlice } from "#server/domain/index.ts";
import { hasEnded, type JobEvent, type JobNews, type LoggedEvent } from "./job.ts";
import { PreviewBoard } from "./preview-board.ts";

/** The events of one job: all states, the latest finding of each prompt, the latest progress; previews while it runs. */
export class JobLog {
  #events: readonly LoggedEvent[] = [];
  readonly #board = new PreviewBoard();
  #lastId = 0;
  readonly #readers = new Set<() => void>();

  append(news: JobNews, at: Date): void {
    this.#lastId += 1;
    this.#events = [...this.#events.filter((event) => !replaces(news, event)), { id: this.#lastId, at, ...news }];
    // Of a run that is over, or begins.
    if (news.type === "state") this.#board.clear();
    for (const wake of this.#readers) wake();
  }

  preview(slices: readonly PreviewSlice[]): void {
    this.#board.pin(slices);
    for (const wake of this.#readers) wake();
  }

  /** Events after `after`, as they come; ends behind the job's last event, or when the signal aborts. */
  async *follow(after: number, signal: AbortSignal): AsyncGenerator<JobEvent> {
    let seen = after > this.#lastId ? 0 : after;
    let version = 0;
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
          continue;
        }
        const pinned = this.#board.next(version);
        if (pinned) {
          version = pinned.version;
          yield { id: seen, at: new Date(), type: "preview", ...pinned.slice };
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

function replaces(news: JobNews, old: LoggedEvent): boolean {
  if (news.type === "progress") return old.type === "progress";
  return news.type === "finding" && old.type === "finding" && news.finding.prompt.id === old.finding.prompt.id;
}
