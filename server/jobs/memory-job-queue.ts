import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../logger.ts";
import { BacklogFullError, JobCancelledError, JobNotFoundError, jobAskedAlready, jobNotRetryable } from "./errors.ts";
import { toFailure } from "./failure.ts";
import {
  asSubmitted,
  canRetry,
  hasEnded,
  type Job,
  type JobEvent,
  type JobRequest,
  type JobRunner,
  type Priority,
  type SucceededJob,
  studyOf,
} from "./job.ts";
import type { JobQuery, JobQueue, QueueLoad, Submission } from "./job-queue.ts";
import { MemoryJob } from "./memory-job.ts";
import { attemptsFor, defaultRetryPolicy, delayAfter, type RetryPolicy } from "./retry-policy.ts";
import { RoomWatch } from "./room-watch.ts";
import { findAnswered, findTwin } from "./same-question.ts";
import { WaitingLine } from "./waiting-line.ts";
import type { RoomCheck, WorkerOffer, WorkerState } from "./worker.ts";

export interface MemoryJobQueueOptions {
  readonly runner: JobRunner;
  readonly logger: Logger;
  /** Jobs that run at the same time; default 1. */
  readonly concurrency?: number;
  /** Asked before each job is begun; absent: there is always room. */
  readonly room?: RoomCheck;
  /** How often to ask again while there is none; default 1000. */
  readonly pollMs?: number;
  /** What this process tells of itself. */
  readonly offer?: () => Promise<WorkerOffer>;
  /** Jobs that may wait, of the same priority and more urgent ones together; default 100. */
  readonly backlog?: number;
  /** Ended jobs that are remembered; default 200. */
  readonly history?: number;
  /** A cancelled job that has not stopped after so long counts as ended; default 1000. */
  readonly cancelGraceMs?: number;
  readonly retry?: RetryPolicy;
  readonly now?: () => Date;
  readonly newId?: () => string;
}

/** Jobs of this process: lost when it ends. */
export class MemoryJobQueue implements JobQueue {
  readonly #options: Required<Omit<MemoryJobQueueOptions, "room">>;
  readonly #room: RoomWatch | undefined;
  /** In the order of submission. */
  readonly #entries = new Map<string, MemoryJob>();
  readonly #waiting = new WaitingLine<MemoryJob>();
  readonly #runs = new Set<Promise<void>>();
  readonly #startedAt: Date;
  #asksForRoom = false;
  #roomTimer: NodeJS.Timeout | undefined;
  #disposed = false;

  constructor(options: MemoryJobQueueOptions) {
    this.#options = {
      concurrency: 1,
      backlog: 100,
      history: 200,
      cancelGraceMs: 1000,
      pollMs: 1000,
      retry: defaultRetryPolicy,
      now: () => new Date(),
      newId: randomUUID,
      offer: async () => ({
        version: "",
        device: { executionProvider: "", cpus: 0, memoryBytes: 0, gpus: [] },
        models: [],
      }),
      ...options,
    };
    this.#startedAt = this.#options.now();
    this.#room = options.room && new RoomWatch(options.room, options.logger);
  }

  async submit(
    request: JobRequest,
    { owner, requestId, priority = "interactive", force = false, ruleId }: Submission,
  ): Promise<Job> {
    const twin = force ? undefined : findTwin(this.#entries.values(), request, owner);
    if (twin) return twin.job;
    if (!this.#accepting(priority)) throw new BacklogFullError(this.#waiting.length);
    const job: Job = {
      id: this.#options.newId(),
      owner,
      requestId,
      request,
      priority,
      ...(ruleId !== undefined && { ruleId }),
      attempt: 0,
      state: "queued",
      stage: "queued",
      fraction: 0,
      createdAt: this.#options.now(),
      findings: [],
    };
    const entry = new MemoryJob(job, {
      forced: force,
      attempts: attemptsFor(priority, this.#options.retry),
      now: this.#options.now,
    });
    this.#entries.set(job.id, entry);
    this.#waiting.push(entry);
    entry.become(job);
    this.#startNext();
    return entry.job;
  }

  async findAnswered(request: JobRequest, owner: string): Promise<SucceededJob | undefined> {
    return findAnswered(this.#entries.values(), request, owner);
  }

  async get(id: string): Promise<Job> {
    return this.#entry(id).job;
  }

  async list({ owners, limit, states, studyInstanceUid }: JobQuery): Promise<readonly Job[]> {
    return [...this.#entries.values()]
      .map(({ job }) => job)
      .filter((job) => owners.includes(job.owner) && (states?.includes(job.state) ?? true))
      .filter(({ request }) => studyInstanceUid === undefined || studyOf(request) === studyInstanceUid)
      .reverse()
      .slice(0, limit);
  }

  async cancel(id: string): Promise<Job> {
    const entry = this.#entry(id);
    if (entry.job.state === "queued") this.#cancelNow(entry);
    if (entry.job.state === "running") {
      entry.abort.abort(new JobCancelledError());
      await entry.hasEndedWithin(this.#options.cancelGraceMs);
      if (!hasEnded(entry.job)) this.#cancelNow(entry);
    }
    return entry.job;
  }

  async retry(id: string): Promise<Job> {
    const entry = this.#entry(id);
    const { job } = entry;
    if (!canRetry(job)) throw jobNotRetryable();
    if (findTwin(this.#entries.values(), job.request, job.owner)) throw jobAskedAlready();
    if (!this.#accepting(job.priority)) throw new BacklogFullError(this.#waiting.length);
    entry.beginAnew(job.attempt + attemptsFor(job.priority, this.#options.retry));
    this.#requeue(entry, 0);
    this.#startNext();
    return entry.job;
  }

  async *events(
    id: string,
    { after = 0, signal }: { readonly after?: number; readonly signal: AbortSignal },
  ): AsyncGenerator<JobEvent> {
    yield* this.#entry(id).log.follow(after, signal);
  }

  async load(): Promise<QueueLoad> {
    return { queued: this.#waiting.length, running: this.#runs.size, accepting: this.#accepting("interactive") };
  }

  async workers(): Promise<readonly WorkerState[]> {
    const { offer, now, concurrency } = this.#options;
    const { models, version, device } = await offer();
    const startedAt = this.#startedAt;
    const self = { id: "self", host: hostname(), pid: process.pid, startedAt, seenAt: now(), concurrency };
    const lack = this.#room?.lack;
    const held = lack !== undefined && { holdsBack: lack };
    return [{ ...self, version, device, models, running: this.#runs.size, ...held }];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    clearTimeout(this.#roomTimer);
    const left = [...this.#entries.values()].filter(({ job }) => !hasEnded(job));
    await Promise.all(left.map(({ job }) => this.cancel(job.id)));
    await Promise.race([Promise.all(this.#runs), sleep(this.#options.cancelGraceMs, undefined, { ref: false })]);
  }

  #accepting(priority: Priority): boolean {
    return !this.#disposed && this.#waiting.ahead(priority) < this.#options.backlog;
  }

  #entry(id: string): MemoryJob {
    const entry = this.#entries.get(id);
    if (!entry) throw new JobNotFoundError();
    return entry;
  }

  #startNext(): void {
    if (!this.#room) this.#startThose();
    else if (!this.#asksForRoom) void this.#startWhileRoom(this.#room);
  }

  #startThose(most = Number.POSITIVE_INFINITY): void {
    for (let begun = 0; begun < most && this.#runs.size < this.#options.concurrency; begun++) {
      const entry = this.#waiting.take();
      if (!entry) return;
      const run = this.#run(entry).finally(() => {
        this.#runs.delete(run);
        this.#startNext();
      });
      this.#runs.add(run);
    }
  }

  /** One after the other: each takes of the room that the next one asks for. */
  async #startWhileRoom(room: RoomWatch): Promise<void> {
    const { concurrency, pollMs } = this.#options;
    this.#asksForRoom = true;
    clearTimeout(this.#roomTimer);
    while (this.#waiting.length > 0 && this.#runs.size < concurrency && !this.#disposed) {
      if (await room.hasRoom()) this.#startThose(1);
      else {
        this.#roomTimer = setTimeout(() => this.#startNext(), pollMs).unref();
        break;
      }
    }
    this.#asksForRoom = false;
  }

  async #run(entry: MemoryJob): Promise<void> {
    const { now, runner, retry } = this.#options;
    const { id, requestId, request } = entry.job;
    const logger = this.#options.logger.child({ jobId: id, requestId });
    const startedAt = now();
    const beganMs = performance.now();
    const attempt = entry.job.attempt + 1;
    entry.become({ ...asSubmitted(entry.job), state: "running", attempt, startedAt });
    logger.info({ event: "job.started", kind: request.kind, prompts: request.prompts.length, attempt });
    const { abort } = entry;
    const { signal } = abort;
    try {
      const result = await runner(request, { jobId: id, signal, ...entry.told() });
      if (entry.abort !== abort) return;
      this.#end(entry, {
        ...entry.job,
        state: "succeeded",
        stage: "done",
        fraction: 1,
        startedAt,
        finishedAt: now(),
        result,
      });
    } catch (error) {
      if (entry.abort !== abort) return;
      const failure = toFailure(error);
      if (!signal.aborted && failure.code === "internal") logger.error({ event: "job.broke", err: error });
      if (!signal.aborted && failure.retryable && attempt < entry.attempts) {
        const delayMs = delayAfter(attempt, retry);
        logger.warn({ event: "job.retry", code: failure.code, attempt, delayMs });
        this.#requeue(entry, delayMs);
        return;
      }
      const ended = signal.aborted ? ({ state: "cancelled" } as const) : ({ state: "failed", failure } as const);
      this.#end(entry, { ...entry.job, ...ended, startedAt, finishedAt: now() });
    }
    const ms = Math.round(performance.now() - beganMs);
    const code = entry.job.state === "failed" ? entry.job.failure.code : undefined;
    logger.info({ event: "job.ended", state: entry.job.state, ms, ...(code && { code }) });
  }

  /** Back to the queue: at once after somebody asked for it, later after a failed run. */
  #requeue(entry: MemoryJob, delayMs: number): void {
    const job = asSubmitted(entry.job);
    const retryAt = new Date(this.#options.now().getTime() + delayMs);
    entry.become({ ...job, state: "queued", ...(delayMs > 0 && { retryAt }) });
    const enter = () => {
      this.#waiting.push(entry);
      this.#startNext();
    };
    if (delayMs > 0) entry.retryTimer = setTimeout(enter, delayMs).unref();
    else enter();
  }

  #cancelNow(entry: MemoryJob): void {
    this.#waiting.remove(entry);
    clearTimeout(entry.retryTimer);
    this.#end(entry, { ...entry.job, state: "cancelled", finishedAt: this.#options.now() });
  }

  #end(entry: MemoryJob, job: Job): void {
    if (hasEnded(entry.job)) return;
    entry.become(job);
    this.#forgetOldest();
  }

  #forgetOldest(): void {
    const ended = [...this.#entries.values()].filter(({ job }) => hasEnded(job));
    for (const { job } of ended.slice(0, Math.max(0, ended.length - this.#options.history)))
      this.#entries.delete(job.id);
  }
}
