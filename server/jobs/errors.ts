import { DomainError } from "#converters/errors.ts";

export class JobNotFoundError extends DomainError {
  override readonly name = "JobNotFoundError";
  readonly code = "job-not-found";

  constructor() {
    super(
      "There is no such job: its id is wrong, or it ended long ago and was forgotten. The list of jobs shows yours.",
    );
  }
}

/** The job cannot do that any more. */
export class JobConflictError extends DomainError {
  override readonly name = "JobConflictError";
  readonly code = "job-conflict";
}

export function jobNotRetryable(): JobConflictError {
  return new JobConflictError(
    "Only a job about a series that failed or was cancelled can be queued again: the files of others are gone.",
  );
}

export function jobAskedAlready(): JobConflictError {
  return new JobConflictError("Another job that waits or runs asks the same. The list of jobs shows yours.");
}

export class JobCancelledError extends DomainError {
  override readonly name = "JobCancelledError";
  readonly code = "job-cancelled";

  constructor() {
    super("The job was cancelled.");
  }
}

/** More waits than the server keeps. */
export class BacklogFullError extends DomainError {
  override readonly name = "BacklogFullError";
  readonly code = "rate-limited";
  override readonly retryable = true;
  readonly #waiting: number;

  constructor(waiting: number) {
    super(`${waiting} jobs are waiting, as many as the server keeps. Ask again when some have ended.`);
    this.#waiting = waiting;
  }

  override get details() {
    return { waiting: this.#waiting };
  }
}

/** The file lies on this server, and only other machines do jobs. */
export class NoWorkerHereError extends DomainError {
  override readonly name = "NoWorkerHereError";
  readonly code = "model-unavailable";

  constructor() {
    super(
      "This server leaves all work to other machines, which cannot read a file that was sent here. Ask a server that works itself, or put the images into the archive and ask for their series.",
    );
  }
}

/** A stage took longer than it may. */
export class StageTimeoutError extends DomainError {
  override readonly name = "StageTimeoutError";
  readonly code = "job-timeout";
  override readonly retryable = true;
  readonly #stage: string;
  readonly #limitMs: number;

  constructor(stage: string, limitMs: number, setting: string) {
    super(
      `The stage "${stage}" took longer than the ${limitMs / 1000} s that it may. Ask again, or give it more time with ${setting}.`,
    );
    this.#stage = stage;
    this.#limitMs = limitMs;
  }

  override get details() {
    return { stage: this.#stage, limitSeconds: this.#limitMs / 1000 };
  }
}

/** The disk is so full that a job would fail on it. */
export class StorageFullError extends DomainError {
  override readonly name = "StorageFullError";
  readonly code = "storage-full";
  override readonly retryable = true;
}

/** The thread that did the job is gone, or going. */
export class WorkerLostError extends DomainError {
  override readonly name = "WorkerLostError";
  readonly code = "model-unavailable";
  override readonly retryable = true;
}
