import { z } from "zod";
import { JobId, JobView } from "./job.ts";
import { CutAgain } from "./probabilities.ts";
import { ReviewList, ReviewView, SubmitReview, Verdict } from "./review.ts";
import type { Route } from "./route.ts";
import { Uid } from "./uid.ts";

/** What can be done with a job's result: cut again, looked at, judged. */
export const resultRoutes = {
  readProbabilities: {
    kind: "bytes",
    method: "GET",
    path: "/v1/jobs/:id/probabilities/:promptId",
    summary: "The probabilities of a prompt that was found",
    description:
      "One byte a voxel, round(255 p): columns fastest, then rows, then slices along the normal; 0 in slices where the model says that the object is not there. For jobs that asked for keepProbabilities, for a while.",
    params: JobId.extend({ promptId: z.string().describe("p1, p2, ...") }),
    mediaType: "application/octet-stream",
    replyHeaders: {
      "Content-Encoding": "gzip, where Accept-Encoding takes it; otherwise the header is absent",
      "Parse3D-Columns": "Columns of a slice",
      "Parse3D-Rows": "Rows of a slice",
      "Parse3D-Slices": "Slices",
      "Parse3D-Threshold": "What the stored mask was cut at: a voxel belongs to the mask above it",
    },
    problems: ["job-not-found", "not-found", "database-unavailable"],
  },
  readPicture: {
    kind: "bytes",
    method: "GET",
    path: "/v1/jobs/:id/picture",
    summary: "Three planes through what a job found",
    description:
      "A PNG: axial, coronal and sagittal, radiological. Made when asked for, from the images and the stored SEG.",
    params: JobId,
    mediaType: "image/png",
    replyHeaders: {},
    problems: [
      "job-not-found",
      "job-conflict",
      "unsupported-series",
      "series-not-found",
      "pacs-unavailable",
      "pacs-timeout",
      "model-unavailable",
      "database-unavailable",
      "unsupported-image",
    ],
  },
  cutAgain: {
    kind: "json",
    method: "POST",
    path: "/v1/jobs/:id/threshold",
    summary: "A new SEG from a job's probabilities, cut at other thresholds",
    description:
      "Queues a job that infers nothing. Its SEG is another instance beside the first one, which stays; its description tells the thresholds.",
    params: JobId,
    status: 202,
    location: "/v1/jobs/:id",
    body: CutAgain,
    reply: JobView,
    needsRoom: true,
    problems: [
      "job-not-found",
      "not-found",
      "unsupported-media-type",
      "payload-too-large",
      "rate-limited",
      "database-unavailable",
      "storage-full",
    ],
  },
  submitReview: {
    kind: "json",
    method: "POST",
    path: "/v1/jobs/:id/review",
    summary: "Accept, edit or reject what a job found",
    description:
      "A later verdict of the same person replaces an earlier one. Edited masks are stored as a new SEG that names the job's as its source; how far the two agree is in the answer.",
    params: JobId,
    status: 200,
    body: SubmitReview,
    maxBodyBytes: 64 * 1024 * 1024,
    reply: ReviewView,
    problems: [
      "job-not-found",
      "job-conflict",
      "unsupported-media-type",
      "payload-too-large",
      "unsupported-series",
      "series-not-found",
      "pacs-unavailable",
      "pacs-timeout",
      "store-rejected",
      "model-unavailable",
      "database-unavailable",
      "unsupported-image",
    ],
  },
  listReviews: {
    kind: "json",
    method: "GET",
    path: "/v1/reviews",
    summary: "Verdicts, newest first",
    description: "Of the caller's own jobs, and of those of the routing rules.",
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(10_000).default(1000),
      studyInstanceUid: Uid.optional(),
      verdict: Verdict.optional(),
    }),
    status: 200,
    reply: ReviewList,
    problems: ["database-unavailable"],
  },
} as const satisfies Record<string, Route>;
