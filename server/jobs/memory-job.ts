import { setTimeout as sleep } from "node:timers/promises";
import { hasEnded, type Job, type JobRunner } from "./job.ts";
import { JobLog } from "./job-log.ts";

/** A job that only this process knows: how it stands, and what it has told. */
export class MemoryJob {
  job: Job;
  readonly log = new JobLog();
  /** Of its latest run: an earlier one that did not heed its signal has no say any more. */
  abort = new AbortController();
  /** Runs that there may be. */
  attempts: number;
  /** Queues it again after a failed run. */
  retryTimer: NodeJS.Timeout | undefined;
  readonly #forced: boolean;
  readonly #now: () => Date;
  /** Resolves when the job has ended, whether or not its runner has. */
  #ended = Promise.withResolvers<void>();

  constructor(job: Job, options: { readonly forced: boolean; readonly attempts: number; readonly now: () => Date }) {
    this.job = job;
    this.attempts = options.attempts;
    this.#forced = options.forced;
    this.#now = options.now;
  }

  /** Stands so from now on, and tells it. */
  become(job: Job): void {
    this.job = job;
    this.log.append({ type: "state", job }, this.#now());
    if (hasEnded(job)) this.#ended.resolve();
  }

  /** It has ended, and may run again. */
  beginAnew(attempts: number): void {
    this.abort = new AbortController();
    this.#ended = Promise.withResolvers();
    this.attempts = attempts;
  }

  /** Whether its answer will do for somebody else who asks the same. */
  answersToo(): boolean {
    return !this.#forced && !hasEnded(this.job) && !this.abort.signal.aborted;
  }

  /** Waits for its end, but not for longer. */
  async hasEndedWithin(ms: number): Promise<void> {
    const timer = new AbortController();
    await Promise.race([this.#ended.promise, sleep(ms, undefined, { signal: timer.signal }).catch(() => {})]);
    timer.abort();
  }

  /** What its run tells; once another run has begun, or it has ended, nothing of it counts. */
  told(): Pick<Parameters<JobRunner>[1], "progress" | "finding" | "preview"> {
    const { abort } = this;
    const isOver = () => hasEnded(this.job) || this.abort !== abort;
    return {
      progress: (stage, fraction, detail) => {
        if (isOver()) return;
        const { detail: _old, ...job } = this.job;
        const progress = {
          stage,
          fraction: Math.min(1, Math.max(0, fraction)),
          ...(detail !== undefined && { detail }),
        };
        this.job = { ...job, ...progress };
        this.log.append({ type: "progress", ...progress }, this.#now());
      },
      finding: (finding) => {
        if (isOver()) return;
        const others = this.job.findings.filter(({ prompt }) => prompt.id !== finding.prompt.id);
        this.job = { ...this.job, findings: [...others, finding] };
        this.log.append({ type: "finding", finding }, this.#now());
      },
      preview: (slices) => {
        if (!isOver()) this.log.preview(slices);
      },
    };
  }
}
