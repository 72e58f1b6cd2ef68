import type { ModelCard } from "#models/index.ts";
import type {
  AnswerBasis,
  AnsweringModel,
  Finding,
  KeptNotice,
  MergeMode,
  Output,
  PreviewSlice,
  Question,
  SegmentRun,
  SeriesQuestion,
  SeriesRef,
  Stage,
  StoredFile,
  StoredObject,
  StoredObjects,
} from "#server/domain/index.ts";
import type { Failure } from "./failure.ts";

/** A series of the archive: the answer goes back to the archive. */
export interface SeriesJobRequest extends SeriesQuestion {
  readonly kind: "series";
  readonly series: SeriesRef;
  readonly merge: MergeMode;
  readonly outputs: readonly Output[];
  /** Finished slices are told while it runs. */
  readonly preview?: true;
  readonly keepProbabilities?: true;
  /** Nothing is inferred: an earlier job's probabilities are cut again. */
  readonly recut?: Recut;
}

export interface Recut {
  /** Whose probabilities. */
  readonly jobId: string;
  /** By prompt; those left out keep the job's own. */
  readonly thresholds: Readonly<Record<string, number>>;
  /** What that job stored. */
  readonly of?: StoredObject;
}

/** A NIfTI file on this machine: the answer goes to another file. Whoever submits it owns and removes both. */
export interface ImageJobRequest extends Question {
  readonly kind: "image";
  readonly inputPath: string;
  /** Where the runner writes the gzipped NIfTI. */
  readonly outputPath: string;
  readonly modality: string;
  readonly merge: MergeMode;
  readonly output: "labels" | "probabilities";
  /** Which volume of a file that holds several, counted from 0. */
  readonly volumeIndex?: number;
}

/** Plain data: it crosses threads and goes into a database. */
export type JobRequest = SeriesJobRequest | ImageJobRequest;

/** The study that a job is about; an image belongs to none. */
export function studyOf(request: JobRequest): string | undefined {
  return request.kind === "series" ? request.series.studyInstanceUid : undefined;
}

export interface JobResult extends StoredObjects {
  /** Of the volume that was looked at: how long others take is estimated by it. */
  readonly slices?: number;
  readonly nifti?: StoredFile;
  readonly probabilities?: KeptNotice;
  readonly model: AnsweringModel;
  /** Absent where nothing was inferred, and of earlier versions. */
  readonly basis?: AnswerBasis;
  readonly notes: readonly string[];
  readonly seconds: Readonly<Partial<Record<"fetch" | "decode" | "infer" | "encode" | "store", number>>>;
}

/** How a job is watched; what the model notes is part of its result. */
export interface JobRun extends Omit<SegmentRun, "note"> {
  readonly jobId: string;
  /** What other machines would answer with: a question that names no model goes to the best of all. */
  readonly elsewhere?: readonly ModelCard[];
}

/** Does the work of one job. Findings are told to `run` as they come; a later one about the same prompt replaces the earlier. */
export type JobRunner = (request: JobRequest, run: JobRun) => Promise<JobResult>;

/** Who waits, most urgent first: a person; the archive's routing; nobody in particular. */
export const priorities = ["interactive", "routed", "batch"] as const;
export type Priority = (typeof priorities)[number];

interface JobBase {
  readonly id: string;
  /** Who submitted it. */
  readonly owner: string;
  /** The HTTP request that submitted it, for the log and for its problem. */
  readonly requestId: string;
  readonly request: JobRequest;
  readonly priority: Priority;
  /** The routing rule that asked for it. */
  readonly ruleId?: string;
  /** Runs that have begun. */
  readonly attempt: number;
  readonly stage: Stage;
  /** Of this stage, 0 to 1. */
  readonly fraction: number;
  readonly detail?: string;
  readonly createdAt: Date;
  readonly findings: readonly Finding[];
}

interface Ended {
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

/** A job at one moment; never changed, only replaced. */
export type Job = JobBase &
  /** `retryAt`: not before; only where an earlier run failed. */
  (
    | { readonly state: "queued"; readonly retryAt?: Date }
    | { readonly state: "running"; readonly startedAt: Date }
    | ({ readonly state: "succeeded"; readonly result: JobResult } & Ended)
    | ({ readonly state: "failed"; readonly failure: Failure } & Ended)
    | { readonly state: "cancelled"; readonly startedAt?: Date; readonly finishedAt: Date }
  );

export type SucceededJob = Extract<Job, { readonly state: "succeeded" }>;

export const jobStates = [
  "queued",
  "running",
  "succeeded",
  "failed",
  "cancelled",
] as const satisfies readonly Job["state"][];
export type JobState = (typeof jobStates)[number];

export type EndedJob = Extract<Job, { readonly finishedAt: Date }>;

export function hasEnded(job: Job): job is EndedJob {
  return job.state !== "queued" && job.state !== "running";
}

/** The job as it was submitted, before any run. */
export function asSubmitted({ id, owner, requestId, request, priority, ruleId, createdAt, attempt }: Job) {
  const asked = {
    id,
    owner,
    requestId,
    request,
    priority,
    createdAt,
    attempt,
    ...(ruleId !== undefined && { ruleId }),
  };
  return { ...asked, stage: "queued", fraction: 0, findings: [] } as const;
}

/** Whether it can be done again: the files of a job about an image are gone with its request. */
export function canRetry({ state, request }: Job): boolean {
  return request.kind === "series" && (state === "failed" || state === "cancelled");
}

/** What happened; `id` rises by job, with gaps where something newer took an event's place. */
export type LoggedEvent = { readonly id: number; readonly at: Date } & JobNews;

export type JobEvent = LoggedEvent | PreviewEvent;

export type JobNews =
  | { readonly type: "state"; readonly job: Job }
  | { readonly type: "progress"; readonly stage: Stage; readonly fraction: number; readonly detail?: string }
  | { readonly type: "finding"; readonly finding: Finding };

/** Told beside the news, while the job runs: never kept, and its `id` is that of the event before. */
export type PreviewEvent = { readonly id: number; readonly at: Date; readonly type: "preview" } & PreviewSlice;
