import { z } from "zod";
import { HealthView, ReadyView } from "./health.ts";
import { JobEvent, JobList, JobState, JobView, SubmitJob } from "./job.ts";
import { Modality, ModelList, VocabularyView } from "./model.ts";
import type { Route } from "./route.ts";
import {
  OrthancNotice,
  OrthancNoticeReply,
  RoutingRule,
  RuleId,
  RuleList,
  RuleTestView,
  RuleView,
  TestRules,
} from "./rule.ts";
import { SegmentFields } from "./segment.ts";

const JobId = z.object({ id: z.string().describe("The job's id") });

/** The HTTP API. The router, the OpenAPI document and every client derive from this one object. */
export const contract = {
  submitJob: {
    kind: "json",
    method: "POST",
    path: "/v1/jobs",
    summary: "Find what the prompts name in a series",
    description:
      "Queues a job that fetches the series from the archive, runs the model, and stores a DICOM SEG beside the series. A request that is already waiting or running answers with the same job.",
    status: 202,
    location: "/v1/jobs/:id",
    body: SubmitJob,
    reply: JobView,
    problems: ["unsupported-media-type", "payload-too-large", "invalid-prompt", "rate-limited"],
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
      submittedBy: z
        .enum(["me", "routing"])
        .default("me")
        .describe("me: the caller's own; routing: those of the routing rules"),
    }),
    status: 200,
    reply: JobList,
    problems: [],
  },
  readJob: {
    kind: "json",
    method: "GET",
    path: "/v1/jobs/:id",
    summary: "A job as it stands",
    params: JobId,
    status: 200,
    reply: JobView,
    problems: ["job-not-found"],
  },
  jobEvents: {
    kind: "events",
    method: "GET",
    path: "/v1/jobs/:id/events",
    summary: "What happens to a job, as it happens",
    description:
      "Server-sent events. The stream begins with what has happened, or after Last-Event-ID, and ends with the job. Of the progress only the latest is kept. A comment line keeps a quiet stream open. 204 where the job has ended and everything was already seen.",
    params: JobId,
    headers: z.object({
      "last-event-id": z.coerce.number().int().min(0).optional().describe("The id of the last event that was seen"),
    }),
    event: JobEvent,
    problems: ["job-not-found"],
  },
  cancelJob: {
    kind: "json",
    method: "DELETE",
    path: "/v1/jobs/:id",
    summary: "Cancel a job that waits or runs",
    params: JobId,
    status: 200,
    reply: JobView,
    problems: ["job-not-found", "job-conflict"],
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
    problems: ["job-not-found", "job-conflict", "rate-limited"],
  },
  listModels: {
    kind: "json",
    method: "GET",
    path: "/v1/models",
    summary: "The installed models",
    status: 200,
    reply: ModelList,
    problems: [],
  },
  readVocabulary: {
    kind: "json",
    method: "GET",
    path: "/v1/vocabulary",
    summary: "What can be asked",
    query: z.strictObject({ modality: Modality.optional() }),
    status: 200,
    reply: VocabularyView,
    problems: [],
  },
  segmentNifti: {
    kind: "upload",
    method: "POST",
    path: "/v1/segment",
    summary: "Find what the prompts name in a NIfTI file",
    description:
      "Waits for the answer: a gzipped NIfTI on the grid of the file. Nothing is kept. Hanging up cancels the work.",
    fields: SegmentFields,
    mediaType: "application/gzip",
    replyHeaders: {
      "Parse3D-Findings": "JSON, ASCII: one {prompt, present, score, voxels, volumeMl} for each prompt, in their order",
      "Parse3D-Job": "The job's id: GET /v1/jobs/:id tells the findings in full",
      "Parse3D-Model": "NAME/VERSION of the model that answered",
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
      "model-unavailable",
    ],
  },
  listRules: {
    kind: "json",
    method: "GET",
    path: "/v1/rules",
    summary: "The routing rules",
    status: 200,
    reply: RuleList,
    problems: ["not-found"],
  },
  putRule: {
    kind: "json",
    method: "POST",
    path: "/v1/rules",
    summary: "Add a routing rule, or replace the one with its id",
    description:
      "From then on it is asked of every series that arrives in the archive. What is there already is left alone.",
    status: 200,
    body: RoutingRule,
    reply: RuleView,
    problems: ["not-found", "unsupported-media-type", "payload-too-large", "invalid-prompt"],
  },
  removeRule: {
    kind: "json",
    method: "DELETE",
    path: "/v1/rules/:id",
    summary: "Remove a routing rule",
    params: z.object({ id: RuleId }),
    status: 200,
    reply: RuleView,
    problems: ["not-found"],
  },
  testRules: {
    kind: "json",
    method: "POST",
    path: "/v1/rules/test",
    summary: "Which series of the archive rules are for, and why the others are not",
    description: "Looks only: nothing is queued.",
    status: 200,
    body: TestRules,
    reply: RuleTestView,
    problems: ["not-found", "unsupported-media-type", "payload-too-large", "pacs-unavailable", "pacs-timeout"],
  },
  orthancHook: {
    kind: "json",
    method: "POST",
    path: "/v1/hooks/orthanc",
    summary: "Something has arrived in the archive",
    description: "For orthanc/parse3d.lua. It only wakes the poller, which looks itself: a lost notice loses nothing.",
    status: 202,
    body: OrthancNotice,
    reply: OrthancNoticeReply,
    problems: ["not-found", "unsupported-media-type", "payload-too-large"],
  },
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
