import { z } from "zod";
import { Modality } from "./model.ts";
import { MergeMode, ModelName, PromptInputs } from "./prompt.ts";

/** The form fields beside `file` of an upload: a NIfTI to be segmented. */
export const SegmentFields = z.strictObject({
  prompts: PromptInputs.describe("One field for each prompt, or one field with a JSON array"),
  modality: Modality,
  model: ModelName.optional(),
  merge: MergeMode.default("exclusive"),
  output: z
    .enum(["labels", "probabilities"])
    .default("labels")
    .describe("labels: voxel value n is the n-th prompt; probabilities: 0 to 1, 4D where there are several prompts"),
  volume: z.coerce.number().int().min(0).max(65535).optional().describe("Which volume of a 4D file, counted from 0"),
});

/** The header `Parse3D-Findings`: one item for each prompt, in their order. `GET /v1/jobs/:id` tells the rest. */
export const FindingsHeader = z.array(
  z.object({
    prompt: z.string().describe("p1, p2, ..."),
    present: z.boolean(),
    score: z.number().nullable(),
    voxels: z.int(),
    volumeMl: z.number().optional(),
  }),
);
export type FindingsHeader = z.infer<typeof FindingsHeader>;
