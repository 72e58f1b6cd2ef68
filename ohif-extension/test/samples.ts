import type {
  FindingView,
  JobView,
  Problem,
  ReviewView,
  SubmitReview,
  VocabularyView,
} from "#server/contract/index.ts";
import type { ActiveSeries } from "../src/state/panel-state.ts";

export const series: ActiveSeries = {
  studyInstanceUid: "1.2.3",
  seriesInstanceUid: "1.2.3.4",
  modality: "CT",
  description: "Head",
};

export const seg = { studyInstanceUid: "1.2.3", seriesInstanceUid: "1.2.3.9", sopInstanceUid: "1.2.3.9.1" };

export const found: FindingView = {
  prompt: { id: "p1", text: "left kidney" },
  present: true,
  score: 0.97,
  slices: [4, 5, 6],
  voxels: 1200,
  volumeMl: 162.4,
  box: { min: [0, 0, 0], max: [10, 20, 30] },
  components: [
    { voxels: 1000, volumeMl: 150, box: { min: [0, 0, 0], max: [5, 5, 5] }, centroidLps: [1, 2, 3] },
    { voxels: 200, volumeMl: 12.4, box: { min: [6, 6, 6], max: [9, 9, 9] }, centroidLps: [7, 8, 9] },
  ],
  tracking: { id: "left kidney", uid: "1.2.3.5" },
  segmentNumber: 1,
  notes: ["Found by density rules."],
};

export const missing: FindingView = {
  prompt: { id: "p1", text: "spleen" },
  present: false,
  score: 0.08,
  slices: [],
  voxels: 0,
  components: [],
  notes: [],
};

export const problem: Problem = {
  type: "/problems/unsupported-series",
  title: "unsupported series",
  status: 422,
  detail: "Slice 41 is missing. Send the whole series.",
  code: "unsupported-series",
  retryable: false,
  requestId: "r1",
  details: { reason: "missing-slice" },
};

export const vocabulary: VocabularyView = {
  modality: "CT",
  open: true,
  targets: [
    { name: "liver", synonyms: ["hepar"], models: ["m"] },
    { name: "left kidney", synonyms: ["kidney, left"], models: ["m"] },
    { name: "kidney", synonyms: ["ren"], models: ["m"] },
    {
      name: "bone",
      synonyms: ["skull"],
      code: { value: "272673000", scheme: "SCT", meaning: "Bone" },
      models: ["density-ct"],
    },
  ],
};

export const queued: JobView = {
  id: "j1",
  state: "queued",
  stage: "queued",
  fraction: 0,
  createdAt: "2026-01-01T10:00:00.000Z",
  priority: "interactive",
  attempt: 1,
  request: {
    kind: "series",
    studyInstanceUid: series.studyInstanceUid,
    seriesInstanceUid: series.seriesInstanceUid,
    prompts: [{ id: "p1", text: "left kidney" }],
    merge: "exclusive",
    outputs: ["seg"],
  },
  findings: [],
};

export const running: JobView = { ...queued, state: "running", stage: "infer", fraction: 0.5, detail: "45/90" };

export const succeeded: JobView = {
  ...queued,
  state: "succeeded",
  stage: "done",
  fraction: 1,
  startedAt: "2026-01-01T10:00:01.000Z",
  finishedAt: "2026-01-01T10:00:05.000Z",
  findings: [found],
  result: {
    seg,
    model: { name: "density-ct", version: "1.0.0", title: "CT density rules", trained: false },
    notes: ["Not a trained network."],
    seconds: { fetch: 1, infer: 2 },
  },
};

export const failed: JobView = { ...queued, state: "failed", stage: "decode", fraction: 0.2, problem };

export const cancelled: JobView = { ...queued, state: "cancelled", stage: "infer", fraction: 0.2 };

/** One whose probabilities are kept. */
export const kept: JobView = {
  ...succeeded,
  result: {
    ...succeeded.result!,
    probabilities: { prompts: ["p1"], threshold: 0.5, until: "2026-01-02T10:00:05.000Z" },
  },
};

export function reviewOf(jobId: string, { verdict, reason }: SubmitReview, minute: number): ReviewView {
  const edited = verdict === "edited";
  return {
    jobId,
    verdict,
    ...(reason !== undefined && { reason }),
    at: `2026-01-01T11:0${minute}:00.000Z`,
    mine: true,
    studyInstanceUid: series.studyInstanceUid,
    seriesInstanceUid: series.seriesInstanceUid,
    model: { name: "density-ct", version: "1.0.0" },
    prompts: [{ prompt: found.prompt, present: true, score: 0.97, ...(edited && { dice: 0.913, segmentNumber: 1 }) }],
    ...(edited && { seg: { ...seg, sopInstanceUid: "1.2.3.9.2" } }),
  };
}
