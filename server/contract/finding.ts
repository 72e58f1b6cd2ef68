import { z } from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";
import { PromptView } from "./prompt.ts";

const PointLps = z.tuple([z.number(), z.number(), z.number()]);
const BoxLps = z
  .object({ min: PointLps, max: PointLps })
  .describe("The smallest box around the voxels' centres, mm in LPS");

const Indices = z.tuple([z.int(), z.int(), z.int()]);

/** What is optional here is absent in findings of earlier versions. */
const Component = z.object({
  voxels: z.int().min(0),
  volumeMl: z.number().min(0),
  box: BoxLps,
  boxIjk: z
    .object({ min: Indices, max: Indices })
    .optional()
    .describe("First and last voxel along columns, rows and slices, counted from 0"),
  centroidLps: PointLps,
  longestDiameterMm: z
    .number()
    .min(0)
    .optional()
    .describe("The longest straight line within one axial plane, from outline to outline"),
  meanValue: z.number().optional().describe("Mean of the image's values in it, in valueUnit"),
  valueUnit: z.enum(["HU", "SUV", "Bq/mL", "arbitrary"]).optional(),
});

/** The answer to one prompt: whether the object is there, and where. */
export const FindingView = z.object({
  prompt: PromptView,
  present: z.boolean(),
  score: z
    .number()
    .min(0)
    .max(1)
    .nullable()
    .describe("Probability that the object exists: the largest over the slices; null where the model gives none"),
  disagreement: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("Of several draws: 1 - the mean Dice overlap of every two draws' masks; 0: all alike"),
  slices: z.array(z.int().min(0)).describe("Slices, counted from 0 along the normal, with at least one voxel"),
  voxels: z.int().min(0),
  volumeMl: z.number().min(0).optional(),
  box: BoxLps.optional(),
  components: z.array(Component).describe("Connected pieces, largest first, at most 20"),
  tracking: z
    .object({ id: z.string(), uid: z.string() })
    .optional()
    .describe("Joins the segment in the SEG with what others measure on it; present findings only"),
  segmentNumber: z
    .int()
    .min(1)
    .optional()
    .describe("Number of the segment, or label in the NIfTI; present findings only"),
  notes: z.array(z.string()).describe("What the user should know of this answer"),
});
export type FindingView = DeepReadonly<z.infer<typeof FindingView>>;
