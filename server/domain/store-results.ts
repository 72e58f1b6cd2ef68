import { DomainError, type ErrorCode } from "#converters/errors.ts";
import type { Ports, Run, StoredInstance } from "./ports.ts";
import type { Output } from "./question.ts";
import type { ResultObject } from "./result-objects.ts";

/** A result in the archive. */
export interface StoredObject extends StoredInstance {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
}

/** What was left in the archive. */
export type StoredObjects = { readonly [Kind in Exclude<Output, "nifti" | "detections">]?: StoredObject };

/** The archive holds some of a job's results and not all. The same job stores the rest: every UID stays as it is. */
export class PartlyStoredError extends DomainError {
  override readonly name = "PartlyStoredError";
  readonly code: ErrorCode;
  override readonly retryable = true;
  readonly stored: readonly string[];

  constructor(stored: readonly ResultObject[], failed: ResultObject, cause: DomainError) {
    super(
      `The archive took ${stored.map(({ name }) => name).join(" and ")}, and not ${failed.name}: ${cause.message} Trying again stores what is missing and nothing twice.`,
      { cause },
    );
    this.code = cause.code;
    this.stored = stored.map(({ kind }) => kind);
  }

  override get details() {
    return { ...(this.cause as DomainError).details, stored: this.stored };
  }
}

/**
 * Stores results one after the other, what others refer to first.
 * @throws what the sink throws; PartlyStoredError where it did so after one was stored; the signal's reason
 */
export async function storeResults(
  { sink }: Pick<Ports, "sink">,
  objects: readonly ResultObject[],
  run: Pick<Run, "signal" | "progress">,
): Promise<StoredObjects> {
  const stored: { -readonly [Kind in keyof StoredObjects]: StoredObjects[Kind] } = {};
  for (const [n, object] of objects.entries()) {
    run.signal.throwIfAborted();
    run.progress("store", n / objects.length);
    const { kind, studyInstanceUid, seriesInstanceUid, part10 } = object;
    try {
      stored[kind] = { ...(await sink.store(part10, { signal: run.signal })), studyInstanceUid, seriesInstanceUid };
    } catch (error) {
      if (n === 0 || !(error instanceof DomainError)) throw error;
      throw new PartlyStoredError(objects.slice(0, n), object, error);
    }
  }
  return stored;
}
