import type { Finding } from "#server/domain/index.ts";
import { csvOf } from "../csv.ts";

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

/** One line a series (RFC 4180), in the order given; four columns a prompt. */
export function toCsv(rows: readonly Row[], prompts: readonly string[]): string {
  const header = [
    ...["subject", "session", "study_instance_uid", "series_instance_uid", "modality", "status", "problem_code"],
    ...["instances", "size_i", "size_j", "size_k", "spacing_i_mm", "spacing_j_mm", "spacing_k_mm"],
    ...prompts.flatMap((prompt) => [
      `${prompt}: present`,
      `${prompt}: score`,
      `${prompt}: volume_ml`,
      `${prompt}: voxels`,
    ]),
    ...["seg_sop_instance_uid", "seg_series_instance_uid", "nifti", "model", "model_version", "model_sha256"],
    ...["parse3d_version", "seconds", "finished_at", "notes"],
  ];
  const lines = rows.map((row) => [
    ...[row.subject, row.session, row.studyInstanceUid, row.seriesInstanceUid, row.modality, row.status, row.code],
    ...[row.instances, ...(row.size ?? none), ...(row.spacingMm ?? none)],
    ...prompts.flatMap((text) => {
      const found = row.findings.find(({ prompt }) => prompt.text === text);
      return [found?.present, found?.score, found?.volumeMl ?? (found && 0), found?.voxels];
    }),
    ...[row.segSopInstanceUid, row.segSeriesInstanceUid, row.nifti, row.model, row.modelVersion, row.modelSha256],
    ...[row.parse3d, row.seconds, row.finishedAt, row.notes.join(" ")],
  ]);
  return csvOf([header, ...lines]);
}

const none = [undefined, undefined, undefined];
