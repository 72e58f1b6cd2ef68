import type { Job, JobEvent, JobRequest, JobState, Priority, SucceededJob } from "./job.ts";
import type { WorkerState } from "./worker.ts";

export interface Submission {
  readonly owner: string;
  readonly requestId: string;
  /** Default `interactive`. */
  readonly priority?: Priority;
  /** A new job even where another asks the same and has not ended. */
  readonly force?: boolean;
  /** The routing rule that asks. */
  readonly ruleId?: string;
}

export interface JobQuery {
  readonly owners: readonly string[];
  readonly limit: number;
  /** Absent: any. */
  readonly states?: readonly JobState[];
  /** Only jobs about series of this study. */
  readonly studyInstanceUid?: string;
}

export interface QueueLoad {
  readonly queued: number;
  readonly running: number;
  /** False where nothing more is taken. */
  readonly accepting: boolean;
}

/**
 * Takes jobs and has them done: the most urgent first, then first come first served. A retryable failure of a job that
 * no person waits for is tried again, later and later, up to a limit; then it stays `failed` until somebody retries it.
 * Disposing lets go of what is left: jobs that only this process knows are cancelled, others wait for its return.
 */
export interface JobQueue extends AsyncDisposable {
  /**
   * The new job; or the one of the same owner that asks the same of the same series and has not ended yet.
   * @throws BacklogFullError
   */
  submit(request: JobRequest, from: Submission): Promise<Job>;
  /**
   * The newest job of that owner that asks the same of the same series, forced or not: undefined where there is none, or
   * where that one has not succeeded.
   */
  findAnswered(request: JobRequest, owner: string): Promise<SucceededJob | undefined>;
  /** @throws JobNotFoundError */
  get(id: string): Promise<Job>;
  /** The owners' jobs, newest first. */
  list(query: JobQuery): Promise<readonly Job[]>;
  /**
   * Ends the job if it has not ended, and answers within about a second.
   * @returns the job as it ended: `succeeded` where its result was quicker
   * @throws JobNotFoundError
   */
  cancel(id: string): Promise<Job>;
  /**
   * Queues a job again that failed or was cancelled, with all its attempts.
   * @throws JobNotFoundError, JobConflictError where it has not ended so, or where another job asks the same now
   */
  retry(id: string): Promise<Job>;
  /**
   * What happened after event `after` (0: from the start), then what happens, until the job ends or the signal aborts.
   * Of the progress only the latest is kept, so that a slow reader costs no memory. Previews come while the job runs, from
   * the process that runs it: a reader elsewhere gets none.
   * @throws JobNotFoundError
   */
  events(id: string, options: { readonly after?: number; readonly signal: AbortSignal }): AsyncIterable<JobEvent>;
  load(): Promise<QueueLoad>;
  /** The processes that do jobs now. */
  workers(): Promise<readonly WorkerState[]>;
}
