import { z } from "zod";
import { MergeMode, ModelName } from "./prompt.ts";

const Probability = z.number().min(0).max(1);

/** How a model is asked, wherever the image comes from. What is left out is the model's own way. */
export const modelFields = {
  model: ModelName.optional(),
  merge: MergeMode.optional().describe(
    "exclusive: a voxel belongs to one prompt at most; overlapping: each prompt by itself. Left out: exclusive, or overlapping with recognise",
  ),
  threshold: Probability.optional().describe(
    "Probability from which a voxel belongs to the mask; left out: the model's own, usually 0.5",
  ),
  presenceThreshold: Probability.optional().describe(
    "Existence score from which a prompt counts as there; left out: the model's own, usually 0.5",
  ),
  minimumVolumeMm3: z
    .number()
    .min(0)
    .default(0)
    .describe("Connected pieces below so many mm3 are dropped from masks and findings"),
  draws: z
    .int()
    .min(1)
    .max(16)
    .default(1)
    .describe("Of a model that samples: how many draws are averaged; each finding tells their disagreement"),
  instances: z
    .boolean()
    .default(false)
    .describe("Touching objects of one prompt are told apart as components, where the model sees their edges"),
  fromSlice: z.int().min(0).max(65_535).optional().describe("The slice that is computed first; others follow outwards"),
  recognise: z
    .boolean()
    .default(false)
    .describe(
      "Asks for everything that the model is recommended for in such an image; findings come best first, and prompts may be left out",
    ),
  anticipate: z
    .int()
    .min(0)
    .max(64)
    .optional()
    .describe(
      "Likely targets that are answered beside the prompts and kept in memory for a while; left out: the server's setting",
    ),
};

/** What a job about a series can leave in the archive. */
export const Output = z.enum(["seg", "sr", "rtstruct", "sc", "detections"]);

/** What a rule's job can leave: there is a folder as well, which no request names. */
export const RuleOutput = z.enum([...Output.options, "nifti"]);

const distinct = (outputs: readonly string[]) => new Set(outputs).size === outputs.length;
const twice = "names one output twice";

export const SegmentationType = z.enum(["binary", "fractional", "labelmap"]);

/** What is asked of a series of the archive, beside the prompts: the same in requests and in routing rules. */
export const seriesFields = {
  ...modelFields,
  outputs: z
    .array(Output)
    .min(1)
    .max(Output.options.length)
    .refine(distinct, twice)
    .optional()
    .describe(
      "Left out: seg, or detections with recognise. What is stored: seg: a DICOM SEG; sr: measurements as a structured report (TID 1500), with the SEG that it refers to; rtstruct: contours; sc: pictures of the overlay; detections: nothing, findings are answered all the same",
    ),
  segmentationType: SegmentationType.default("binary").describe(
    "Of the SEG: binary: one bit a voxel, for every receiver; fractional: the model's probabilities, 0 to 255; labelmap: one number a voxel, with a background, not with merge overlapping",
  ),
  deflated: z
    .boolean()
    .default(false)
    .describe(
      "The SEG is written deflated as a whole (1.2.840.10008.1.2.1.99): a hundredth of the size of sparse masks, where the receiver reads it",
    ),
  volume: z
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe("Which volume of a series that holds several (time, echo, b-value, stack), counted from 0"),
  resample: z
    .boolean()
    .default(false)
    .describe("Tilted or unevenly spaced slices are put onto a regular grid, and a note says so, instead of refused"),
};

/** What a rule asks differs in where results may go. */
export const ruleFields = {
  ...seriesFields,
  outputs: z
    .array(RuleOutput)
    .min(1)
    .max(RuleOutput.options.length)
    .refine(distinct, twice)
    .optional()
    .describe(
      `${seriesFields.outputs.description}; nifti: a label map, value n for segment n, as a file in PARSE3D_NIFTI_FOLDER, under hashed names`,
    ),
  niftiSubfolder: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, "not a folder's name: letters, digits, hyphens and underscores")
    .optional()
    .describe("With the output nifti: a folder within PARSE3D_NIFTI_FOLDER"),
};
