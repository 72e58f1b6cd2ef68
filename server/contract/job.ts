import { z } from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";
import { FindingView } from "./finding.ts";
import { Problem } from "./problem.ts";
import { MergeMode, ModelName, PromptInputs, PromptView } from "./prompt.ts";
import { Uid } from "./uid.ts";

/** What a job about a series can leave in the archive. */
const Output = z.enum(["seg"]);

/** Asks for everything that the prompts name in one series of the archive. */
export const SubmitJob = z.strictObject({
  studyInstanceUid: Uid,
  seriesInstanceUid: Uid,
  prompts: PromptInputs,
  model: ModelName.optional(),
  merge: MergeMode.default("exclusive"),
  outputs: z.array(Output).min(1).max(1).default(["seg"]).describe("seg: a DICOM SEG in the archive"),
  priority: z
    .enum(["interactive", "batch"])
    .default("interactive")
    .describe("interactive: a person waits; batch: after everything else, and tried again where a retry may help"),
  force: z.boolean().default(false).describe("A new job even where another asks the same and has not ended"),
});
/** What a client sends: defaults may be left out. */
export type SubmitJob = DeepReadonly<z.input<typeof SubmitJob>>;

export const JobState = z.enum(["queued", "running", "succeeded", "failed", "cancelled"]);
export type JobState = z.infer<typeof JobState>;

export const JobPriority = z
  .enum(["interactive", "routed", "batch"])
  .describe("Who waits, most urgent first: a person; the archive's routing; nobody in particular");

export const JobStage = z.enum(["queued", "fetch", "decode", "prepare", "infer", "encode", "store", "done"]);
export type JobStage = z.infer<typeof JobStage>;

const Fraction = z.number().min(0).max(1).describe("Of this stage");
const Moment = z.iso.datetime();

const RequestView = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("series"),
    studyInstanceUid: Uid,
    seriesInstanceUid: Uid,
    prompts: z.array(PromptView),
    model: ModelName.optional(),
    merge: MergeMode,
    outputs: z.array(Output),
  }),
  z.object({
    kind: z.literal("image"),
    modality: z.string(),
    prompts: z.array(PromptView),
    model: ModelName.optional(),
    merge: MergeMode,
    output: z.enum(["labels", "probabilities"]),
  }),
]);

const ResultView = z.object({
  seg: z
    .object({ studyInstanceUid: Uid, seriesInstanceUid: Uid, sopInstanceUid: Uid })
    .optional()
    .describe("The stored SEG; absent where nothing was found, and for images"),
  model: z.object({ name: z.string(), version: z.string(), title: z.string(), trained: z.boolean() }),
  notes: z.array(z.string()).describe("What the user should know of this result"),
  seconds: z
    .partialRecord(z.enum(["fetch", "decode", "infer", "encode", "store"]), z.number().min(0))
    .describe("Seconds spent in each stage"),
});

/** A job as it stands. */
export const JobView = z.object({
  id: z.string(),
  state: JobState,
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

const eventBase = { id: z.int().min(1).describe("Rises with each event of the job; gaps are usual"), at: Moment };

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
]);
export type JobEvent = DeepReadonly<z.infer<typeof JobEvent>>;
