import type { ModelCard } from "#models/index.ts";
import type { Finding, PreviewSlice, Stage } from "#server/domain/index.ts";
import type { Failure } from "./failure.ts";
import type { JobRequest, JobResult } from "./job.ts";

/** What the main thread tells its worker. */
export type ToWorker =
  | {
      readonly type: "start";
      readonly jobId: string;
      readonly request: JobRequest;
      readonly elsewhere: readonly ModelCard[];
    }
  | { readonly type: "cancel"; readonly jobId: string }
  | { readonly type: "close" };

/** What the worker tells: of itself, and of one job; the last of a job is one of done, failed and threw. */
export type FromWorker = FromWorkerOfJob | { readonly type: "notice"; readonly notice: unknown };

export type FromWorkerOfJob = { readonly jobId: string } & (
  | { readonly type: "progress"; readonly stage: Stage; readonly fraction: number; readonly detail?: string }
  | { readonly type: "finding"; readonly finding: Finding }
  | { readonly type: "preview"; readonly slices: readonly PreviewSlice[] }
  | { readonly type: "done"; readonly result: JobResult }
  | { readonly type: "failed"; readonly failure: Failure }
  /** A fault of the program: for the log, never for the caller. */
  | { readonly type: "threw"; readonly message: string; readonly stack?: string }
);
