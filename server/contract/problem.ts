import { z } from "zod";
import type { DeepReadonly } from "./deep-readonly.ts";

/** Every way in which a request or a job fails, as programs see it. */
export const ProblemCode = z.enum([
  "invalid-request",
  "unauthenticated",
  "forbidden",
  "not-found",
  "method-not-allowed",
  "unsupported-media-type",
  "series-not-found",
  "job-not-found",
  "rule-not-found",
  "job-conflict",
  "job-cancelled",
  "invalid-prompt",
  "unsupported-series",
  "unsupported-image",
  "payload-too-large",
  "rate-limited",
  "pacs-unavailable",
  "pacs-timeout",
  "store-rejected",
  "model-not-found",
  "model-unavailable",
  "gpu-out-of-memory",
  "database-unavailable",
  "job-timeout",
  "storage-full",
  "internal",
]);
export type ProblemCode = z.infer<typeof ProblemCode>;

/** application/problem+json (RFC 9457), with what a program needs to act on it. */
export const Problem = z.object({
  type: z.string().describe("/problems/CODE"),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional().describe("What is wrong and what to do next"),
  code: ProblemCode,
  retryable: z.boolean().describe("Whether the same request may succeed later, unchanged"),
  requestId: z.string().describe("What the server's log knows the request by"),
  details: z.record(z.string(), z.unknown()).optional().describe("Facts that a program may act on"),
});
export type Problem = DeepReadonly<z.infer<typeof Problem>>;
