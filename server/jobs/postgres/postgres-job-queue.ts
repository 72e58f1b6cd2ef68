import { randomUUID } from "node:crypto";
import type { Database, Sql } from "#server/database/index.ts";
import type { Logger } from "../../logger.ts";
import { BacklogFullError, JobNotFoundError, jobAskedAlready, jobNotRetryable } from "../errors.ts";
import { canRetry, hasEnded, type Job, type JobEvent, type JobRequest, type JobRunner, priorities } from "../job.ts";
import type { JobQuery, JobQueue, QueueLoad, Submission } from "../job-queue.ts";
import { attemptsFor, defaultRetryPolicy, type RetryPolicy } from "../retry-policy.ts";
import { Bell } from "./bell.ts";
import { JobRun } from "./job-run.ts";
import * as table from "./job-table.ts";
import { every, within } from "./patience.ts";
import { beat, enrol, ownJobs, recoverLost, resign } from "./workers.ts";

export interface PostgresJobQueueOptions {
  /** Migrated; stays the caller's, and is closed after the queue. */
  readonly db: Database;
  readonly runner: JobRunner;
  readonly logger: Logger;
  /** Jobs that run in this process at the same time; default 1. */
  readonly concurrency?: number;
  /** Jobs that may wait, of the same priority and more urgent ones together; default 100. */
  readonly backlog?: number;
  /** Ended jobs that are remembered; default 10,000. */
  readonly history?: number;
  /** A cancelled job that has not stopped after so long counts as ended; default 1000. */
  readonly cancelGraceMs?: number;
  readonly retry?: RetryPolicy;
  /** How often this process says that it lives; default 5000. */
  readonly heartbeatMs?: number;
  /** A process that has not said so for so long is dead; default 30,000. */
  readonly silentMs?: number;
  /** How often to look for what no notification told of; default 1000. */
  readonly pollMs?: number;
  /** Progress is written at most this often; default 200. */
  readonly progressMs?: number;
}

/**
 * Jobs in PostgreSQL: they outlive this process, and several processes share them. A job that a process took and did not
 * end is begun again by another one, or by the same when it is back.
 */
export class PostgresJobQueue implements JobQueue {
  readonly #options: Required<PostgresJobQueueOptions>;
  readonly #workerId = randomUUID();
  readonly #bell = new Bell();
  /** Also a cancelled one whose runner does not heed its signal: its place stays taken. */
  readonly #runs = new Set<JobRun>();
  readonly #ends = new Set<Promise<void>>();
  readonly #upkeep = new DisposableStack();
  #listener: AsyncDisposable | undefined;
  #filling: Promise<void> | undefined;
  #fillAgain = false;
  #disposed = false;

  private constructor(options: PostgresJobQueueOptions) {
    this.#options = {
      concurrency: 1,
      backlog: 100,
      history: 10_000,
      cancelGraceMs: 1000,
      retry: defaultRetryPolicy,
      heartbeatMs: 5000,
      silentMs: 30_000,
      pollMs: 1000,
      progressMs: 200,
      ...options,
    };
  }

  /** Begins with what an earlier process left. @throws DatabaseUnavailableError */
  static async open(options: PostgresJobQueueOptions): Promise<PostgresJobQueue> {
    const queue = new PostgresJobQueue(options);
    await queue.#start();
    return queue;
  }

  async submit(request: JobRequest, from: Submission): Promise<Job> {
    return this.#options.db.transaction((sql) => this.submitWithin(sql, request, from));
  }

  /**
   * As `submit`, in the caller's transaction: the job is there when it commits, or never was.
   * @throws BacklogFullError
   */
  async submitWithin(sql: Sql, request: JobRequest, from: Submission): Promise<Job> {
    const { owner, requestId, priority = "interactive", force = false, ruleId } = from;
    const { retry } = this.#options;
    await table.lockSubmissions(sql);
    const question = force ? null : table.questionOf(request, owner);
    const twin = question === null ? undefined : await table.findUnfinished(sql, question);
    if (twin) return twin;
    await this.#refuseBeyondBacklog(sql, priorities.indexOf(priority));
    return table.insertJob(
      sql,
      request,
      { owner, requestId, priority, ...(ruleId !== undefined && { ruleId }) },
      {
        id: randomUUID(),
        question,
        pinnedTo: request.kind === "image" ? this.#workerId : null,
        attempts: attemptsFor(priority, retry),
      },
    );
  }

  async get(id: string): Promise<Job> {
    const job = await table.readJob(this.#options.db, id);
    if (!job) throw new JobNotFoundError();
    return job;
  }

  async list(query: JobQuery): Promise<readonly Job[]> {
    return table.listJobs(this.#options.db, query);
  }

  async cancel(id: string): Promise<Job> {
    const { db, cancelGraceMs, pollMs } = this.#options;
    const asked = await db.transaction(async (sql) => {
      const locked = await table.lockJob(sql, id);
      if (!locked) throw new JobNotFoundError();
      if (locked.job.state === "queued") return table.endJob(sql, id, { state: "cancelled" });
      if (locked.job.state === "running") await table.askToCancel(sql, id);
      return locked.job;
    });
    if (hasEnded(asked)) return asked;
    const giveUpAt = performance.now() + cancelGraceMs;
    for (let left = cancelGraceMs; left > 0; left = giveUpAt - performance.now()) {
      using news = this.#bell.next(id);
      const job = await this.get(id);
      if (hasEnded(job)) return job;
      await within(news.rung, Math.min(left, pollMs));
    }
    return db.transaction(async (sql) => {
      const locked = await table.lockJob(sql, id);
      if (!locked) throw new JobNotFoundError();
      return hasEnded(locked.job) ? locked.job : table.endJob(sql, id, { state: "cancelled" });
    });
  }

  async retry(id: string): Promise<Job> {
    return this.#options.db.transaction(async (sql) => {
      await table.lockSubmissions(sql);
      const locked = await table.lockJob(sql, id);
      if (!locked) throw new JobNotFoundError();
      const { job } = locked;
      if (!canRetry(job)) throw jobNotRetryable();
      const question = table.questionOf(job.request, job.owner);
      if (question !== null && (await table.findUnfinished(sql, question))) throw jobAskedAlready();
      await this.#refuseBeyondBacklog(sql, priorities.indexOf(job.priority));
      const { attempt } = job;
      return table.requeueJob(sql, id, { attempt, attempts: attempt + attemptsFor(job.priority, this.#options.retry) });
    });
  }

  async *events(
    id: string,
    { after = 0, signal }: { readonly after?: number; readonly signal: AbortSignal },
  ): AsyncGenerator<JobEvent> {
    const { db, pollMs } = this.#options;
    const known = await table.readProgressOf(db, id);
    if (!known) throw new JobNotFoundError();
    let seen = after > known.lastEvent ? 0 : after;
    while (!signal.aborted && !this.#disposed) {
      using news = this.#bell.next(id);
      const events = await table.readEvents(db, id, seen);
      for (const event of events) {
        seen = event.id;
        yield event;
        if (signal.aborted) return;
      }
      if (events.length > 0) continue;
      const now = await table.readProgressOf(db, id);
      if (!now || now.ended) return;
      await within(news.rung, pollMs, signal);
    }
  }

  async load(): Promise<QueueLoad> {
    const { queued, running, ahead } = await table.countJobs(this.#options.db, priorities.indexOf("interactive"));
    return { queued, running, accepting: !this.#disposed && ahead < this.#options.backlog };
  }

  /** What runs here goes back to the queue, unless its files end with this process. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    const { db, cancelGraceMs, logger } = this.#options;
    this.#upkeep.dispose();
    await this.#filling;
    for (const run of this.#runs) run.release();
    await within(
      Promise.all(this.#ends).then(() => {}),
      cancelGraceMs,
    );
    try {
      for (const run of this.#runs) await run.releaseNow();
      await db.transaction((sql) => resign(sql, this.#workerId));
    } catch (error) {
      logger.warn({ event: "jobs.not-released", err: error });
    }
    this.#bell.ringAll();
    await this.#listener?.[Symbol.asyncDispose]();
  }

  async #start(): Promise<void> {
    const { db, logger, heartbeatMs, pollMs } = this.#options;
    await enrol(db, this.#workerId);
    this.#listener = await db.listen(table.CHANNEL, (jobId) => this.#hear(jobId));
    await this.#recover();
    const warn = (error: unknown) => logger.warn({ event: "jobs.upkeep-failed", err: error });
    this.#upkeep.use(every(heartbeatMs, () => this.#beat(), warn));
    this.#upkeep.use(every(pollMs, async () => this.#fill(), warn));
    this.#fill();
  }

  #hear(payload: string): void {
    const notice = table.readNotice(payload);
    if (notice) this.#bell.ring(notice.jobId);
    else this.#bell.ringAll();
    if (notice?.kind === "news") return;
    if (notice?.kind === "state") this.#fill();
    else
      void this.#heedOrders().catch((error) => this.#options.logger.warn({ event: "jobs.upkeep-failed", err: error }));
  }

  async #beat(): Promise<void> {
    const { db } = this.#options;
    if (!(await beat(db, this.#workerId))) await enrol(db, this.#workerId);
    await this.#heedOrders();
    await this.#recover();
  }

  /** Stops what is to be cancelled, and what another process has taken over. */
  async #heedOrders(): Promise<void> {
    const before = [...this.#runs];
    const own = await ownJobs(this.#options.db, this.#workerId);
    for (const run of before) {
      const job = own.get(run.jobId);
      if (!job) run.lose();
      else if (job.cancelling) run.cancel();
    }
  }

  async #recover(): Promise<void> {
    const { db, silentMs, logger } = this.#options;
    // Nobody else can have an embedded database open: whoever is enrolled beside this process is dead.
    const jobs = await recoverLost(db, this.#workerId, db.kind === "embedded" ? 0 : silentMs);
    if (jobs > 0) logger.warn({ event: "jobs.recovered", jobs });
  }

  async #refuseBeyondBacklog(sql: Sql, priority: number): Promise<void> {
    const { ahead, queued } = await table.countJobs(sql, priority);
    if (this.#disposed || ahead >= this.#options.backlog) throw new BacklogFullError(queued);
  }

  /** Claims jobs while there are any and there is room. */
  #fill(): void {
    this.#fillAgain = true;
    this.#filling ??= this.#fillNow().finally(() => {
      this.#filling = undefined;
    });
  }

  async #fillNow(): Promise<void> {
    const { db, logger, concurrency } = this.#options;
    while (this.#fillAgain && !this.#disposed) {
      this.#fillAgain = false;
      try {
        while (this.#runs.size < concurrency && !this.#disposed) {
          const job = await db.transaction((sql) => table.claimJob(sql, this.#workerId));
          if (!job) break;
          this.#begin(job);
        }
      } catch (error) {
        logger.warn({ event: "jobs.claim-failed", err: error });
      }
    }
  }

  #begin(job: Job): void {
    const { db, runner, logger, retry, history, progressMs, silentMs, heartbeatMs } = this.#options;
    const run = new JobRun(
      { db, runner, logger, workerId: this.#workerId, retry, history, progressMs, outageMs: silentMs - heartbeatMs },
      job,
    );
    this.#runs.add(run);
    const end = run.run().finally(() => {
      this.#runs.delete(run);
      this.#ends.delete(end);
      this.#fill();
    });
    this.#ends.add(end);
  }
}
