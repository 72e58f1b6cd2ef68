import type { Prompt, StoredObject } from "#server/domain/index.ts";

export const verdicts = ["accepted", "edited", "rejected"] as const;
export type Verdict = (typeof verdicts)[number];

/** What a person thinks of a job's result, with what is needed to count it: it outlives the job. */
export interface Review {
  readonly jobId: string;
  /** Who asked for the job, and who judged: owners, as jobs have them. */
  readonly jobOwner: string;
  readonly reviewer: string;
  readonly verdict: Verdict;
  readonly reason?: string;
  readonly at: Date;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly model: { readonly name: string; readonly version: string };
  readonly prompts: readonly ReviewedPrompt[];
  /** The edited SEG. */
  readonly seg?: StoredObject;
}

export interface ReviewedPrompt {
  readonly prompt: Prompt;
  readonly present: boolean;
  readonly score: number | null;
  readonly volumeMl?: number;
  /** Between the model's mask and the edited one. */
  readonly dice?: number;
  /** In the edited SEG. */
  readonly segmentNumber?: number;
}

export interface ReviewQuery {
  /** Of jobs that one of them asked for. */
  readonly jobOwners: readonly string[];
  readonly limit: number;
  readonly jobId?: string;
  readonly studyInstanceUid?: string;
  readonly verdict?: Verdict;
}

/** Verdicts; a later one of the same person on the same job replaces an earlier one. */
export interface ReviewStore {
  put(review: Review): Promise<void>;
  /** Newest first. */
  list(query: ReviewQuery): Promise<readonly Review[]>;
}
