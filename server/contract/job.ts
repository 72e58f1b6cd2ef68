import { z } from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";
import { FindingView } from "./finding.ts";
import { previewFields } from "./preview.ts";
import { KeptView, RecutView } from "./probabilities.ts";
import { Problem } from "./problem.ts";
import { MergeMode, ModelName, PromptInputs, PromptView } from "./prompt.ts";
import { RuleOutput, SegmentationType, seriesFields } from "./question.ts";
import { Uid } from "./uid.ts";

/** Asks for everything that the prompts name in one series of the archive. */
export const SubmitJob = z.strictObject({
  studyInstanceUid: Uid,
  seriesInstanceUid: Uid,
  prompts: PromptInputs.optional().describe("May be left out with recognise"),
  ...seriesFields,
  priority: z
    .enum(["interactive", "batch"])
    .default("interactive")
    .describe("interactive: a person waits; batch: after everything else, and tried again where a retry may help"),
  preview: z.boolean().default(false).describe("Finished slices are told as events `preview` while the job runs"),
  keepProbabilities: z
    .boolean()
    .default(false)
    .describe("Probabilities of what is found are kept for a while, to be cut again at other thresholds"),
  force: z.boolean().default(false).describe("A new job even where another asks the same, or has answered it"),
});
/** What a client sends: defaults may be left out. */
export type SubmitJob = DeepReadonly<z.input<typeof SubmitJob>>;

/** The part of an address that names a job. */
export const JobId = z.object({ id: z.string().describe("The job's id") });

export const JobState = z.enum(["queued", "running", "succeeded", "failed", "cancelled"]);
export type JobState = z.infer<typeof JobState>;

/** Procedure Step State (0074,1000), as a Unified Procedure Step has it (PS3.4 section CC.1.1). */
export const ProcedureStepState = z.enum(["SCHEDULED", "IN PROGRESS", "COMPLETED", "CANCELED"]);
export type ProcedureStepState = z.infer<typeof ProcedureStepState>;

/** The standard has one word for what did not come to its end; `failed` has a problem beside it. */
export const procedureStepStateOf: Readonly<Record<JobState, ProcedureStepState>> = {
  queued: "SCHEDULED",
  running: "IN PROGRESS",
  succeeded: "COMPLETED",
  failed: "CANCELED",
  cancelled: "CANCELED",
};

export const JobPriority = z
  .enum(["interactive", "routed", "batch"])
  .describe("Who waits, most urgent first: a person; the archive's routing; nobody in particular");

export const JobStage = z.enum(["queued", "fetch", "decode", "prepare", "infer", "encode", "store", "done"]);
export type JobStage = z.infer<typeof JobStage>;

const Fraction = z.number().min(0).max(1).describe("Of this stage");
const Moment = z.iso.datetime();

/** Told where it was asked for. */
const askedOfModel = {
  threshold: z.number().optional(),
  presenceThreshold: z.number().optional(),
  minimumVolumeMm3: z.number().optional(),
  draws: z.int().optional(),
  instances: z.boolean().optional(),
  fromSlice: z.int().optional(),
  recognise: z.boolean().optional(),
  anticipate: z.int().optional(),
};

const RequestView = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("series"),
    studyInstanceUid: Uid,
    seriesInstanceUid: Uid,
    prompts: z.array(PromptView),
    model: ModelName.optional(),
    merge: MergeMode,
    outputs: z.array(RuleOutput),
    segmentationType: SegmentationType.optional(),
    volume: z.int().optional(),
    deflated: z.boolean().optional(),
    resample: z.boolean().optional(),
    niftiSubfolder: z.string().optional(),
    recut: RecutView.optional().describe(
      "Where nothing was inferred: which job's probabilities were cut again, and at what",
    ),
    ...askedOfModel,
  }),
  z.object({
    kind: z.literal("image"),
    modality: z.string(),
    prompts: z.array(PromptView),
    model: ModelName.optional(),
    merge: MergeMode,
    output: z.enum(["labels", "probabilities"]),
    ...askedOfModel,
  }),
]);

const StoredView = z.object({ studyInstanceUid: Uid, seriesInstanceUid: Uid, sopInstanceUid: Uid }).optional();

const ResultView = z.object({
  seg: StoredView.describe("The stored SEG; absent where nothing was found, and for images"),
  sr: StoredView.describe("The stored structured report, which tells what was not found as well"),
  rtstruct: StoredView.describe("The stored RT Structure Set; absent where nothing was found"),
  sc: StoredView.describe("The stored Secondary Capture; absent where nothing was found"),
  nifti: z
    .object({ file: z.string().describe("Within PARSE3D_NIFTI_FOLDER, by hashed names") })
    .optional()
    .describe("Of a rule that asks for it: the label map; absent where nothing was found"),
  model: z.object({
    name: z.string(),
    version: z.string(),
    title: z.string(),
    trained: z.boolean(),
    licence: z.string().optional().describe("The model's; of results of before it was told, absent"),
    nonCommercial: z.boolean().optional().describe("Neither the model nor its results may be used commercially"),
    intendedUse: z.string().optional().describe("What the model is for, and what it is not for"),
    computedOn: z.string().optional().describe("What the network was computed on, like: the CPU"),
  }),
  notes: z.array(z.string()).describe("What the user should know of this result"),
  probabilities: KeptView.optional().describe("Where they were to be kept, and the model gives any"),
  seconds: z
    .partialRecord(z.enum(["fetch", "decode", "infer", "encode", "store"]), z.number().min(0))
    .describe("Seconds spent in each stage"),
});

/** A job as it stands. */
export const JobView = z.object({
  id: z.string(),
  state: JobState,
  procedureStepState: ProcedureStepState.describe(
    "The state in DICOM's words (Procedure Step State (0074,1000)): queued is SCHEDULED, running IN PROGRESS, succeeded COMPLETED, failed and cancelled CANCELED",
  ).optional(),
  stage: JobStage,
  fraction: Fraction,
  detail: z.string().optional().describe("How far, in words, like 120/300"),
  priority: JobPriority,
  ruleId: z.string().optional().describe("The routing rule that asked for it"),
  attempt: z.int().min(0).describe("Runs that have begun"),
  retryAt: Moment.optional().describe("Where an earlier run failed: the next one does not begin before"),
  createdAt: Moment,
  startedAt: Moment.optional(),
  finishedAt: Moment.optional(),
  request: RequestView,
  findings: z.array(FindingView),
  result: ResultView.optional().describe("Where state is succeeded"),
  problem: Problem.optional().describe("Where state is failed"),
});
export type JobView = DeepReadonly<z.infer<typeof JobView>>;

export const JobList = z.object({ jobs: z.array(JobView) });

const eventBase = {
  id: z
    .int()
    .min(1)
    .describe("Rises with each event of the job; gaps are usual. A preview has that of the event before"),
  at: Moment,
};

/** What happens to a job. The stream ends with the `state` event of succeeded, failed or cancelled. */
export const JobEvent = z.discriminatedUnion("type", [
  z.object({ ...eventBase, type: z.literal("state"), job: JobView }),
  z.object({
    ...eventBase,
    type: z.literal("progress"),
    stage: JobStage,
    fraction: Fraction,
    detail: z.string().optional(),
  }),
  z.object({ ...eventBase, type: z.literal("finding"), finding: FindingView }),
  z.object({ ...eventBase, type: z.literal("preview"), ...previewFields }),
]);
export type JobEvent = DeepReadonly<z.infer<typeof JobEvent>>;
