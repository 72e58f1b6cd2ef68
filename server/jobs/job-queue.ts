import type { Job, JobEvent, JobRequest } from "./job.ts";

export interface Submission {
  readonly owner: string;
  readonly requestId: string;
}

export interface QueueLoad {
  readonly queued: number;
  readonly running: number;
  /** False where nothing more is taken. */
  readonly accepting: boolean;
}

/** Takes jobs and has them done, first come first served. Disposing cancels what is left. */
export interface JobQueue extends AsyncDisposable {
  /**
   * The new job; or the one of the same owner that asks the same of the same series and has not ended yet.
   * @throws BacklogFullError
   */
  submit(request: JobRequest, from: Submission): Promise<Job>;
  /** @throws JobNotFoundError */
  get(id: string): Promise<Job>;
  /** The owner's jobs, newest first. */
  list(query: { readonly owner: string; readonly limit: number }): Promise<readonly Job[]>;
  /**
   * Ends the job if it has not ended, and answers within about a second.
   * @returns the job as it ended: `succeeded` where its result was quicker
   * @throws JobNotFoundError
   */
  cancel(id: string): Promise<Job>;
  /**
   * What happened after event `after` (0: from the start), then what happens, until the job ends or the signal aborts.
   * Of the progress only the latest is kept, so that a slow reader costs no memory.
   * @throws JobNotFoundError
   */
  events(id: string, options: { readonly after?: number; readonly signal: AbortSignal }): AsyncIterable<JobEvent>;
  load(): Promise<QueueLoad>;
}
