import { randomUUID } from "node:crypto";
import type { Database, Sql } from "#server/database/index.ts";
import type { Logger } from "../../logger.ts";
import { BacklogFullError, JobNotFoundError, jobAskedAlready, jobNotRetryable, NoWorkerHereError } from "../errors.ts";
import {
  canRetry,
  hasEnded,
  type Job,
  type JobEvent,
  type JobRequest,
  type JobRunner,
  priorities,
  type SucceededJob,
} from "../job.ts";
import type { JobQuery, JobQueue, QueueLoad, Submission } from "../job-queue.ts";
import type { PreviewBoard } from "../preview-board.ts";
import { attemptsFor, defaultRetryPolicy, type RetryPolicy } from "../retry-policy.ts";
import type { RoomCheck, WorkerOffer, WorkerState } from "../worker.ts";
import { Bell } from "./bell.ts";
import * as log from "./job-news.ts";
import { readJob } from "./job-row.ts";
import * as table from "./job-table.ts";
import { JobWorker } from "./job-worker.ts";
import { every, within } from "./patience.ts";
import { SilenceWatch } from "./silence-watch.ts";
import { announce, listWorkers, recoverLost, resign } from "./workers.ts";

export interface PostgresJobQueueOptions {
  /** Migrated; stays the caller's, and is closed after the queue. */
  readonly db: Database;
  readonly runner: JobRunner;
  readonly logger: Logger;
  /** Jobs that run in this process at the same time; default 1. 0: others do them. */
  readonly concurrency?: number;
  /** What this process tells of itself, asked anew with each heartbeat; without it, it takes whatever is asked. */
  readonly offer?: () => Promise<WorkerOffer>;
  /** Asked before each claim. */
  readonly room?: RoomCheck;
  /** A job that no person waits for waits so long for a worker that has its model, before it fails; default ten minutes. */
  readonly unofferedMs?: number;
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
  readonly #options: Required<Omit<PostgresJobQueueOptions, "offer">> & Pick<PostgresJobQueueOptions, "offer">;
  readonly #workerId = randomUUID();
  readonly #bell = new Bell();
  readonly #worker: JobWorker;
  readonly #silences = new SilenceWatch();
  readonly #upkeep = new DisposableStack();
  #listener: AsyncDisposable | undefined;
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
      unofferedMs: 600_000,
      room: async () => undefined,
      ...options,
    };
    this.#worker = new JobWorker({
      ...this.#options,
      workerId: this.#workerId,
      onPreview: (jobId) => this.#bell.ring(jobId),
    });
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
    if (request.kind === "image" && this.#options.concurrency === 0) throw new NoWorkerHereError();
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

  async findAnswered(request: JobRequest, owner: string): Promise<SucceededJob | undefined> {
    const newest = request.kind === "series" ? await table.findNewest(this.#options.db, request, owner) : undefined;
    return newest?.state === "succeeded" ? newest : undefined;
  }

  async get(id: string): Promise<Job> {
    const job = await readJob(this.#options.db, id);
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
    const known = await log.readProgressOf(db, id);
    if (!known) throw new JobNotFoundError();
    let seen = after > known.lastEvent ? 0 : after;
    let watched: PreviewBoard | undefined;
    let version = 0;
    while (!signal.aborted && !this.#disposed) {
      using news = this.#bell.next(id);
      const events = await log.readEvents(db, id, seen);
      for (const event of events) {
        seen = event.id;
        yield event;
        if (signal.aborted) return;
      }
      if (events.length > 0) continue;
      const board = this.#worker.board(id);
      // A job that begins anew has another one.
      if (board !== watched) version = 0;
      watched = board;
      for (let pinned = board?.next(version); pinned; pinned = board?.next(version)) {
        version = pinned.version;
        yield { id: seen, at: new Date(), type: "preview", ...pinned.slice };
        if (signal.aborted) return;
      }
      const now = await log.readProgressOf(db, id);
      if (!now || now.ended) return;
      await within(news.rung, pollMs, signal);
    }
  }

  async load(): Promise<QueueLoad> {
    const { queued, running, ahead } = await table.countJobs(this.#options.db, priorities.indexOf("interactive"));
    return { queued, running, accepting: !this.#disposed && ahead < this.#options.backlog };
  }

  async workers(): Promise<readonly WorkerState[]> {
    return listWorkers(this.#options.db, this.#options.silentMs);
  }

  /** What runs here goes back to the queue, unless its files end with this process. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    const { db, logger } = this.#options;
    this.#upkeep.dispose();
    try {
      await this.#worker.release();
      await db.transaction((sql) => resign(sql, this.#workerId));
    } catch (error) {
      logger.warn({ event: "jobs.not-released", err: error });
    }
    this.#bell.ringAll();
    await this.#listener?.[Symbol.asyncDispose]();
  }

  async #start(): Promise<void> {
    const { db, logger, heartbeatMs, pollMs } = this.#options;
    await announce(db, await this.#worker.announcement());
    this.#listener = await db.listen(log.CHANNEL, (jobId) => this.#hear(jobId));
    await this.#recover();
    const warn = (error: unknown) => logger.warn({ event: "jobs.upkeep-failed", err: error });
    this.#upkeep.use(every(heartbeatMs, () => this.#beat(), warn));
    this.#upkeep.use(every(pollMs, async () => this.#worker.fill(), warn));
    this.#worker.fill();
  }

  #hear(payload: string): void {
    const notice = log.readNotice(payload);
    if (notice) this.#bell.ring(notice.jobId);
    else this.#bell.ringAll();
    if (notice?.kind === "news") return;
    if (notice?.kind === "state") this.#worker.fill();
    else
      void this.#worker
        .heedOrders()
        .catch((error) => this.#options.logger.warn({ event: "jobs.upkeep-failed", err: error }));
  }

  async #beat(): Promise<void> {
    const { db } = this.#options;
    await announce(db, await this.#worker.announcement());
    await this.#worker.giveBackStrays(await this.#worker.heedOrders());
    await this.#recover();
  }

  async #recover(): Promise<void> {
    const { db, silentMs, logger } = this.#options;
    // Nobody else can have an embedded database open: whoever is enrolled beside this process is dead.
    const mostMs = db.kind === "embedded" ? 0 : silentMs;
    const jobs = await recoverLost(db, this.#workerId, { watch: this.#silences, silentMs: mostMs });
    if (jobs > 0) logger.warn({ event: "jobs.recovered", jobs });
  }

  async #refuseBeyondBacklog(sql: Sql, priority: number): Promise<void> {
    const { ahead, queued } = await table.countJobs(sql, priority);
    if (this.#disposed || ahead >= this.#options.backlog) throw new BacklogFullError(queued);
  }
}
