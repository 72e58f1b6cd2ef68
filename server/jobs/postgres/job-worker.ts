import type { ModelCard } from "#models/index.ts";
import type { Job } from "../job.ts";
import { PreviewBoard } from "../preview-board.ts";
import { RoomWatch } from "../room-watch.ts";
import type { RoomCheck, WorkerOffer } from "../worker.ts";
import { JobRun, type RunContext } from "./job-run.ts";
import { type Claimant, claimJob } from "./job-table.ts";
import { within } from "./patience.ts";
import { type Announcement, giveBackStray, listWorkers, ownJobs } from "./workers.ts";

export interface JobWorkerParts extends Omit<RunContext, "outageMs" | "onPreview"> {
  readonly concurrency: number;
  readonly cancelGraceMs: number;
  readonly heartbeatMs: number;
  readonly silentMs: number;
  readonly unofferedMs: number;
  readonly room: RoomCheck;
  readonly offer?: (() => Promise<WorkerOffer>) | undefined;
  /** There is something new to be seen of a job that runs here. */
  onPreview(jobId: string): void;
}

/** The half of a process that does jobs: claims what it can do while there is room, and watches its runs. */
export class JobWorker {
  readonly #parts: JobWorkerParts;
  /** Also a cancelled one whose runner does not heed its signal: its place stays taken. */
  readonly #runs = new Set<JobRun>();
  readonly #ends = new Set<Promise<void>>();
  readonly #room: RoomWatch;
  readonly #boards = new Map<string, PreviewBoard>();
  #offer: WorkerOffer | undefined;
  #strays: ReadonlySet<string> = new Set();
  #claiming = false;
  #filling: Promise<void> | undefined;
  #fillAgain = false;
  #released = false;

  constructor(parts: JobWorkerParts) {
    this.#parts = parts;
    this.#room = new RoomWatch(parts.room, parts.logger);
  }

  /** What there is to be told of this process now. */
  async announcement(): Promise<Announcement> {
    const { workerId, concurrency, offer } = this.#parts;
    this.#offer = await offer?.();
    return { workerId, concurrency, offer: this.#offer, holdsBack: this.#room.lack };
  }

  /** Previews of a job that runs here. */
  board(jobId: string): PreviewBoard | undefined {
    return this.#boards.get(jobId);
  }

  /** Claims jobs while there are any and there is room. */
  fill(): void {
    this.#fillAgain = true;
    this.#filling ??= this.#fillNow().finally(() => {
      this.#filling = undefined;
    });
  }

  /**
   * Stops what is to be cancelled, and what another process has taken over.
   * @returns the jobs that this process owns
   */
  async heedOrders(): Promise<readonly string[]> {
    const { db, workerId } = this.#parts;
    const before = [...this.#runs];
    const own = await ownJobs(db, workerId);
    for (const run of before) {
      const job = own.get(run.jobId);
      if (!job) run.lose();
      else if (job.cancelling) run.cancel();
    }
    return [...own.keys()];
  }

  /**
   * A job that this process owns and does not run: the answer to its claim was lost with a connection, or its outcome was.
   * Seen at two heartbeats, and never while a claim is under way: one that is being begun, however slowly, is none.
   */
  async giveBackStrays(own: readonly string[]): Promise<void> {
    if (this.#claiming) return;
    const { db, logger, workerId } = this.#parts;
    const running = new Set([...this.#runs].map(({ jobId }) => jobId));
    const strays = new Set(own.filter((id) => !running.has(id)));
    for (const id of strays) {
      if (!this.#strays.has(id)) continue;
      await db.transaction((sql) => giveBackStray(sql, id, workerId));
      logger.warn({ event: "jobs.stray", jobId: id });
    }
    this.#strays = strays;
  }

  /** Claims nothing more; what runs goes back to the queue. */
  async release(): Promise<void> {
    this.#released = true;
    await this.#filling;
    for (const run of this.#runs) run.release();
    await within(
      Promise.all(this.#ends).then(() => {}),
      this.#parts.cancelGraceMs,
    );
    for (const run of this.#runs) await run.releaseNow();
  }

  async #fillNow(): Promise<void> {
    const { db, logger, concurrency } = this.#parts;
    while (this.#fillAgain && !this.#released) {
      this.#fillAgain = false;
      try {
        while (this.#runs.size < concurrency && !this.#released) {
          if (!(await this.#room.hasRoom())) break;
          this.#claiming = true;
          const job = await db.transaction((sql) => claimJob(sql, this.#claimant()));
          if (!job) break;
          this.#begin(job, await this.#offeredElsewhere(job));
          this.#claiming = false;
        }
      } catch (error) {
        logger.warn({ event: "jobs.claim-failed", err: error });
      } finally {
        this.#claiming = false;
      }
    }
  }

  #claimant(): Claimant {
    const { db, workerId, unofferedMs, retry } = this.#parts;
    const models = this.#offer?.models.map(({ name }) => name) ?? null;
    // Nobody else will ever come for the jobs of an embedded database.
    return {
      workerId,
      models,
      unofferedMs: db.kind === "embedded" ? 0 : unofferedMs,
      // Two transactions do not begin at the same moment.
      longestDelayMs: retry.maxDelayMs + 60_000,
    };
  }

  /** What a question that names no model may be answered with on other machines. */
  async #offeredElsewhere({ request }: Job): Promise<readonly ModelCard[]> {
    const { db, workerId, silentMs } = this.#parts;
    if (db.kind === "embedded" || request.model !== undefined || request.kind !== "series") return [];
    const workers = await listWorkers(db, silentMs).catch(() => []);
    return workers.filter(({ id }) => id !== workerId).flatMap(({ models }) => models);
  }

  #begin(job: Job, elsewhere: readonly ModelCard[]): void {
    const { silentMs, heartbeatMs } = this.#parts;
    const board = new PreviewBoard();
    const onPreview = (slices: Parameters<PreviewBoard["pin"]>[0]) => {
      board.pin(slices);
      this.#parts.onPreview(job.id);
    };
    const run = new JobRun({ ...this.#parts, outageMs: silentMs - heartbeatMs, onPreview }, job, elsewhere);
    this.#runs.add(run);
    this.#boards.set(job.id, board);
    const end = run.run().finally(() => {
      this.#runs.delete(run);
      if (this.#boards.get(job.id) === board) this.#boards.delete(job.id);
      this.#ends.delete(end);
      this.fill();
    });
    this.#ends.add(end);
  }
}
