import { setTimeout as sleep } from "node:timers/promises";
import type { ModelCard } from "#models/index.ts";
import { type Database, DatabaseUnavailableError, type Sql } from "#server/database/index.ts";
import type { Finding, PreviewSlice } from "#server/domain/index.ts";
import type { Logger } from "../../logger.ts";
import { JobCancelledError, WorkerLostError } from "../errors.ts";
import { elsewhereOf, toFailure } from "../failure.ts";
import type { Job, JobRunner } from "../job.ts";
import { delayAfter, type RetryPolicy } from "../retry-policy.ts";
import { type RunOf, tellFinding, tellProgress } from "./job-news.ts";
import type { JobRow } from "./job-row.ts";
import { type Ending, endJob, forgetOldest, lockJob, requeueJob, wantModel } from "./job-table.ts";

export interface RunContext {
  readonly db: Database;
  readonly runner: JobRunner;
  readonly logger: Logger;
  readonly workerId: string;
  readonly retry: RetryPolicy;
  readonly history: number;
  /** Progress is written at most this often. */
  readonly progressMs: number;
  /** An outage of the database that is shorter loses nothing; after a longer one, others have taken the job. */
  readonly outageMs: number;
  /** Slices that are finished: nothing for the database. */
  onPreview(slices: readonly PreviewSlice[]): void;
}

type Progress = { readonly stage: Job["stage"]; readonly fraction: number; readonly detail?: string };

/** Why a run was stopped from outside. */
type Stop = "cancelled" | "released" | "lost";

/** One run of a claimed job in this process: what it tells goes to the database in order, the latest progress only. */
export class JobRun {
  readonly #context: RunContext;
  readonly #job: Job;
  readonly #elsewhere: readonly ModelCard[];
  readonly #of: RunOf;
  readonly #abort = new AbortController();
  #stop: Stop | undefined;
  #writes: Promise<void> = Promise.resolve();
  #progress: Progress | undefined;
  #lastProgressAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: RunContext, job: Job, elsewhere: readonly ModelCard[]) {
    this.#context = context;
    this.#job = job;
    this.#elsewhere = elsewhere;
    this.#of = { jobId: job.id, workerId: context.workerId, attempt: job.attempt };
  }

  get jobId(): string {
    return this.#job.id;
  }

  /** Somebody asked for its end. */
  cancel(): void {
    this.#end("cancelled", new JobCancelledError());
  }

  /** This process is going: the job goes back to the queue, as if this run had not been. */
  release(): void {
    this.#end("released", new WorkerLostError("The server is shutting down; the job goes on when it is back."));
  }

  /** The job is no longer this process's: whatever comes of the run is dropped. */
  lose(): void {
    this.#end("lost", new WorkerLostError("Another process took the job over."));
  }

  /** Runs to the end; never throws. */
  async run(): Promise<void> {
    const { runner, logger } = this.#context;
    const { id, requestId, request, attempt } = this.#job;
    const log = logger.child({ jobId: id, requestId });
    const startedAt = performance.now();
    log.info({ event: "job.started", kind: request.kind, prompts: request.prompts.length, attempt });
    let outcome: { readonly ending: Ending } | { readonly error: unknown };
    try {
      const result = await runner(request, {
        jobId: id,
        signal: this.#abort.signal,
        elsewhere: this.#elsewhere,
        progress: (stage, fraction, detail) => this.#onProgress(stage, fraction, detail),
        finding: (finding) => this.#onFinding(finding),
        preview: (slices) => {
          if (this.#stop === undefined) this.#context.onPreview(slices);
        },
      });
      outcome = { ending: { state: "succeeded", result } };
    } catch (error) {
      if (this.#stop === undefined && toFailure(error).code === "internal")
        log.error({ event: "job.broke", err: error });
      outcome = { error };
    }
    clearTimeout(this.#timer);
    this.#progress = undefined;
    await this.#writes;
    try {
      const job = await this.#patiently(() => this.#settle(outcome));
      const code = job?.state === "failed" ? job.failure.code : undefined;
      const ms = Math.round(performance.now() - startedAt);
      log.info({ event: "job.ended", state: job?.state ?? "lost", ms, ...(code && { code }) });
    } catch (error) {
      log.error({ event: "job.outcome-lost", err: error });
    }
  }

  /** Gives the job back although its runner has not stopped. */
  async releaseNow(): Promise<void> {
    const { db } = this.#context;
    await db.transaction(async (sql) => {
      const locked = await lockJob(sql, this.#job.id);
      if (locked && this.#owns(locked.row)) await this.#giveBack(sql, locked.row);
    });
  }

  #end(stop: Stop, reason: Error): void {
    if (this.#stop !== undefined) return;
    this.#stop = stop;
    this.#abort.abort(reason);
  }

  #owns({ worker_id, attempt }: { readonly worker_id: string | null; readonly attempt: number }): boolean {
    return worker_id === this.#of.workerId && attempt === this.#of.attempt;
  }

  /** @returns the job afterwards; undefined where this run had no say any more */
  async #settle(outcome: { readonly ending: Ending } | { readonly error: unknown }): Promise<Job | undefined> {
    const { db, retry, history } = this.#context;
    return db.transaction(async (sql) => {
      const locked = await lockJob(sql, this.#job.id);
      if (!locked || !this.#owns(locked.row)) return undefined;
      const { attempt, attempts, cancelling } = locked.row;
      const end = async (ending: Ending) => {
        const job = await endJob(sql, this.#job.id, ending);
        await forgetOldest(sql, history);
        return job;
      };
      if ("ending" in outcome) return end(outcome.ending);
      if (this.#stop === "cancelled" || cancelling) return end({ state: "cancelled" });
      if (this.#stop !== undefined) return this.#giveBack(sql, locked.row);
      const failure = toFailure(outcome.error);
      const better = elsewhereOf(failure);
      if (better !== undefined) {
        await wantModel(sql, this.#job.id, better);
        return this.#giveBack(sql, locked.row);
      }
      if (failure.retryable && attempt < attempts) {
        return requeueJob(sql, this.#job.id, { attempt, attempts }, delayAfter(attempt, retry));
      }
      return end({ state: "failed", failure });
    });
  }

  /** As if this run had not been; what only this process can do ends with it. */
  #giveBack(sql: Sql, { attempt, attempts, pinned_to }: JobRow): Promise<Job> {
    if (pinned_to !== null) return endJob(sql, this.#job.id, { state: "cancelled" });
    return requeueJob(sql, this.#job.id, { attempt: attempt - 1, attempts });
  }

  #onProgress(stage: Progress["stage"], fraction: number, detail: string | undefined): void {
    const first = this.#progress === undefined && this.#timer === undefined;
    this.#progress = { stage, fraction: Math.min(1, Math.max(0, fraction)), ...(detail !== undefined && { detail }) };
    if (!first) return;
    const wait = Math.max(0, this.#lastProgressAt + this.#context.progressMs - performance.now());
    this.#timer = setTimeout(() => this.#writeProgress(), wait);
  }

  #onFinding(finding: Finding): void {
    this.#write((sql) => tellFinding(sql, this.#of, finding));
  }

  #writeProgress(): void {
    this.#timer = undefined;
    const progress = this.#progress;
    this.#progress = undefined;
    if (!progress) return;
    this.#lastProgressAt = performance.now();
    this.#write((sql) => tellProgress(sql, this.#of, progress));
  }

  /** In the order of asking; one that finds the job gone stops the run. */
  #write(work: (sql: Sql) => Promise<boolean>): void {
    const { db, logger } = this.#context;
    this.#writes = this.#writes
      .then(() => this.#patiently(() => db.transaction(work)))
      .then(
        (counted) => {
          if (!counted) this.lose();
        },
        (error) => logger.error({ event: "job.news-lost", jobId: this.#job.id, err: error }),
      );
  }

  /** Again and again while the database is away, for as long as the job is surely still ours. */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    const giveUpAt = performance.now() + this.#context.outageMs;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof DatabaseUnavailableError) || performance.now() > giveUpAt) throw error;
        await sleep(250);
      }
    }
  }
}
