import { z } from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";
import { ModelView } from "./model.ts";
import { MaskRuns } from "./preview.ts";
import { PromptView } from "./prompt.ts";
import { Uid } from "./uid.ts";

export const Verdict = z
  .enum(["accepted", "edited", "rejected"])
  .describe("accepted: right as it is; edited: right after changes; rejected: of no use");
export type Verdict = z.infer<typeof Verdict>;

const EditedSegment = z.strictObject({
  promptId: z.string().regex(/^p\d{1,2}$/),
  slices: z
    .array(z.strictObject({ sliceIndex: z.int().min(0), runs: MaskRuns }))
    .max(100_000)
    .describe("Those with at least one voxel; all of them, changed or not"),
});

/** What a person thinks of a job's result. */
export const SubmitReview = z
  .strictObject({
    verdict: Verdict,
    reason: z.string().trim().min(1).max(500).optional().describe("Why; no names, no identifiers of a patient"),
    segments: z
      .array(EditedSegment)
      .max(32)
      .optional()
      .describe("With verdict edited: the masks as they should be. A prompt left out keeps the job's mask"),
  })
  .refine(({ verdict, segments }) => (verdict === "edited") === (segments !== undefined && segments.length > 0), {
    error: "segments belong to verdict edited, and only to it",
    path: ["segments"],
  });
export type SubmitReview = DeepReadonly<z.input<typeof SubmitReview>>;

/** A verdict on a job's result, with what is needed to count it. */
export const ReviewView = z.object({
  jobId: z.string(),
  verdict: Verdict,
  reason: z.string().optional(),
  at: z.iso.datetime(),
  mine: z.boolean().describe("Whether the caller gave it"),
  studyInstanceUid: Uid,
  seriesInstanceUid: Uid,
  model: ModelView.pick({ name: true, version: true }),
  prompts: z.array(
    z.object({
      prompt: PromptView,
      present: z.boolean().describe("In the job's result"),
      score: z.number().nullable(),
      volumeMl: z.number().optional(),
      dice: z.number().min(0).max(1).optional().describe("Between the job's mask and the edited one; edited only"),
      segmentNumber: z.int().min(1).optional().describe("In the edited SEG; absent where nothing is left"),
    }),
  ),
  seg: z
    .object({ studyInstanceUid: Uid, seriesInstanceUid: Uid, sopInstanceUid: Uid })
    .optional()
    .describe("The edited SEG; edited only"),
});
export type ReviewView = DeepReadonly<z.infer<typeof ReviewView>>;

export const ReviewList = z.object({ reviews: z.array(ReviewView) });
