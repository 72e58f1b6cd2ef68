import { z } from "zod";
import { HealthView, ReadyView } from "./health.ts";
import { JobEvent, JobId, JobList, JobState, JobView, ProcedureStepState, SubmitJob } from "./job.ts";
import { Modality, ModelList, VocabularyView } from "./model.ts";
import { resultRoutes } from "./result-routes.ts";
import type { Route } from "./route.ts";
import { ruleRoutes } from "./rule-routes.ts";
import { SegmentFields } from "./segment.ts";
import { Uid } from "./uid.ts";
import { WorkerList } from "./worker.ts";

/** The HTTP API. The router, the OpenAPI document and every client derive from this one object. */
export const contract = {
  submitJob: {
    kind: "json",
    method: "POST",
    path: "/v1/jobs",
    summary: "Find what the prompts name in a series",
    description:
      "Queues a job that fetches the series from the archive, runs the model, and stores a DICOM SEG beside the series. A request that is already waiting or running answers with the same job; so does one that has succeeded, with 200, as long as the archive holds the same images and results, and the same model would answer.",
    status: 202,
    doneIf: "finishedAt",
    location: "/v1/jobs/:id",
    body: SubmitJob,
    reply: JobView,
    needsRoom: true,
    problems: [
      "unsupported-media-type",
      "payload-too-large",
      "invalid-prompt",
      "rate-limited",
      "storage-full",
      "database-unavailable",
    ],
  },
  listJobs: {
    kind: "json",
    method: "GET",
    path: "/v1/jobs",
    summary: "The caller's recent jobs, newest first",
    description:
      "Failed jobs stay until somebody retries them, or newer ones push them out: state=failed lists what went wrong.",
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(200).default(20),
      state: JobState.optional(),
      procedureStepState: ProcedureStepState.optional().describe(
        "The same in DICOM's words: CANCELED is failed or cancelled",
      ),
      studyInstanceUid: Uid.optional().describe("Only jobs about series of this study"),
      submittedBy: z
        .enum(["me", "routing"])
        .default("me")
        .describe("me: the caller's own; routing: those of the routing rules"),
    }),
    status: 200,
    reply: JobList,
    problems: ["database-unavailable"],
  },
  readJob: {
    kind: "json",
    method: "GET",
    path: "/v1/jobs/:id",
    summary: "A job as it stands",
    params: JobId,
    status: 200,
    reply: JobView,
    problems: ["job-not-found", "database-unavailable"],
  },
  jobEvents: {
    kind: "events",
    method: "GET",
    path: "/v1/jobs/:id/events",
    summary: "What happens to a job, as it happens",
    description:
      "Server-sent events. The stream begins with what has happened, or after Last-Event-ID, and ends with the job. Of the progress only the latest is kept, of the previews the latest of each prompt and slice, and none once the job has ended. A comment line keeps a quiet stream open. 204 where the job has ended and everything was already seen.",
    params: JobId,
    headers: z.object({
      "last-event-id": z.coerce.number().int().min(0).optional().describe("The id of the last event that was seen"),
    }),
    event: JobEvent,
    problems: ["job-not-found", "database-unavailable"],
  },
  cancelJob: {
    kind: "json",
    method: "DELETE",
    path: "/v1/jobs/:id",
    summary: "Cancel a job that waits or runs",
    params: JobId,
    status: 200,
    reply: JobView,
    problems: ["job-not-found", "job-conflict", "database-unavailable"],
  },
  retryJob: {
    kind: "json",
    method: "POST",
    path: "/v1/jobs/:id/retry",
    summary: "Queue a job again that failed or was cancelled",
    params: JobId,
    status: 202,
    location: "/v1/jobs/:id",
    reply: JobView,
    needsRoom: true,
    problems: ["job-not-found", "job-conflict", "rate-limited", "storage-full", "database-unavailable"],
  },
  ...resultRoutes,
  listWorkers: {
    kind: "json",
    method: "GET",
    path: "/v1/workers",
    summary: "The processes that do jobs",
    description: "One that has given no sign for a while is not listed: its jobs are taken over by others.",
    status: 200,
    reply: WorkerList,
    problems: ["database-unavailable"],
  },
  listModels: {
    kind: "json",
    method: "GET",
    path: "/v1/models",
    summary: "The installed models",
    status: 200,
    reply: ModelList,
    problems: ["database-unavailable"],
  },
  readVocabulary: {
    kind: "json",
    method: "GET",
    path: "/v1/vocabulary",
    summary: "What can be asked",
    query: z.strictObject({ modality: Modality.optional() }),
    status: 200,
    reply: VocabularyView,
    problems: ["database-unavailable"],
  },
  segmentNifti: {
    kind: "upload",
    method: "POST",
    path: "/v1/segment",
    summary: "Find what the prompts name in a NIfTI file",
    description:
      "Waits for the answer: a gzipped NIfTI on the grid of the file. Nothing is kept. Hanging up cancels the work.",
    fields: SegmentFields,
    needsRoom: true,
    mediaType: "application/gzip",
    replyHeaders: {
      "Parse3D-Findings": "JSON, ASCII: one {prompt, present, score, voxels, volumeMl} for each prompt, in their order",
      "Parse3D-Job": "The job's id: GET /v1/jobs/:id tells the findings in full",
      "Parse3D-Model": "NAME/VERSION of the model that answered",
      "Parse3D-Notes":
        "JSON, ASCII: what should be known of the answer, in words; the first ones, where they are long (GET /v1/jobs/:id tells all)",
    },
    problems: [
      "unsupported-media-type",
      "payload-too-large",
      "invalid-prompt",
      "unsupported-image",
      "unsupported-series",
      "model-not-found",
      "rate-limited",
      "job-cancelled",
      "job-timeout",
      "storage-full",
      "model-unavailable",
      "gpu-out-of-memory",
      "database-unavailable",
    ],
  },
  ...ruleRoutes,
  health: {
    kind: "json",
    method: "GET",
    path: "/healthz",
    summary: "Whether the server is alive",
    open: true,
    status: 200,
    reply: HealthView,
    problems: [],
  },
  ready: {
    kind: "json",
    method: "GET",
    path: "/readyz",
    summary: "Whether jobs would succeed now",
    description: "200 where every part is ready; 503, with the same document, where one is not.",
    status: 200,
    unavailableUnless: "ready",
    reply: ReadyView,
    problems: [],
  },
} as const satisfies Record<string, Route>;

export type Contract = typeof contract;
