import type { Finding } from "#server/domain/index.ts";

/** What is known of one series when its work has ended. */
export interface Row {
  readonly subject: string;
  readonly session: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly modality: string;
  readonly status: "done" | "failed";
  /** Where it failed: the problem's code, its words, and whether another try may help. */
  readonly code?: string;
  readonly problem?: string;
  readonly retryable?: boolean;
  readonly instances?: number;
  /** Voxels along i, j and k, and their size in mm. */
  readonly size?: readonly [number, number, number];
  readonly spacingMm?: readonly [number, number, number];
  /** Of the grid: centre of its first voxel in mm, and the cosines of its axes i, j and k, one after the other; both in LPS. */
  readonly originLps?: readonly [number, number, number];
  readonly directionsLps?: readonly number[];
  readonly frameOfReferenceUid?: string;
  readonly findings: readonly Pick<Finding, "prompt" | "present" | "score" | "volumeMl" | "voxels">[];
  readonly segSopInstanceUid?: string;
  readonly segSeriesInstanceUid?: string;
  readonly nifti?: string;
  readonly model?: string;
  readonly modelVersion?: string;
  readonly modelSha256?: string;
  readonly parse3d: string;
  readonly seconds?: number;
  readonly finishedAt: string;
  readonly notes: readonly string[];
}
