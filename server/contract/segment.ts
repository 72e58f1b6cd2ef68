import { z } from "zod";
import { Modality } from "./model.ts";
import { MergeMode, ModelName, PromptInputs } from "./prompt.ts";
import { modelFields } from "./question.ts";

/** Fields of a form are text. */
const probability = z.coerce.number().min(0).max(1);
const flag = z
  .enum(["true", "false"])
  .default("false")
  .transform((text) => text === "true");

/** The form fields beside `file` of an upload: a NIfTI to be segmented. */
export const SegmentFields = z.strictObject({
  prompts: PromptInputs.optional().describe(
    "One field for each prompt, or one field with a JSON array; may be left out with recognise",
  ),
  modality: Modality,
  model: ModelName.optional(),
  merge: MergeMode.optional().describe(modelFields.merge.description ?? ""),
  output: z
    .enum(["labels", "probabilities"])
    .default("labels")
    .describe("labels: voxel value n is the n-th prompt; probabilities: 0 to 1, 4D where there are several prompts"),
  threshold: probability.optional().describe(modelFields.threshold.description ?? ""),
  presenceThreshold: probability.optional().describe(modelFields.presenceThreshold.description ?? ""),
  minimumVolumeMm3: z.coerce
    .number()
    .min(0)
    .default(0)
    .describe(modelFields.minimumVolumeMm3.description ?? ""),
  draws: z.coerce
    .number()
    .int()
    .min(1)
    .max(16)
    .default(1)
    .describe(modelFields.draws.description ?? ""),
  instances: flag.describe(modelFields.instances.description ?? ""),
  fromSlice: z.coerce
    .number()
    .int()
    .min(0)
    .max(65535)
    .optional()
    .describe(modelFields.fromSlice.description ?? ""),
  recognise: flag.describe(modelFields.recognise.description ?? ""),
  anticipate: z.coerce
    .number()
    .int()
    .min(0)
    .max(64)
    .optional()
    .describe(modelFields.anticipate.description ?? ""),
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
