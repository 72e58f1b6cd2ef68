import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import * as real from "#server/contract/index.ts";
import { clientContract } from "../build/contract-module.ts";
import { type SchemaCheck, schemaCheck } from "../src/api/schema-check.ts";
import {
  cancelled,
  failed,
  found,
  kept,
  problem,
  queued,
  reviewOf,
  running,
  succeeded,
  vocabulary,
} from "./samples.ts";

const { shapes, definitions } = clientContract();
const check = (name: string): SchemaCheck => schemaCheck(shapes[name] ?? "*", definitions);
const at = "2026-01-01T10:00:00.000Z";

const documents: readonly (readonly [name: string, schema: z.ZodType, samples: readonly unknown[]])[] = [
  ["readJob", real.JobView, [queued, running, succeeded, kept, failed, cancelled]],
  ["submitReview", real.ReviewView, [reviewOf("j1", { verdict: "edited" }, 1)]],
  ["listReviews", real.ReviewList, [{ reviews: [reviewOf("j1", { verdict: "rejected", reason: "no" }, 1)] }]],
  ["listJobs", real.JobList, [{ jobs: [succeeded, failed] }]],
  [
    "jobEvents",
    real.JobEvent,
    [
      { id: 1, at, type: "state", job: running },
      { id: 2, at, type: "progress", stage: "fetch", fraction: 0.5, detail: "3/6" },
      { id: 3, at, type: "finding", finding: found },
      { id: 3, at, type: "preview", promptId: "p1", sliceIndex: 4, slices: 9, rows: 2, columns: 3, runs: [1, 5] },
    ],
  ],
  ["readVocabulary", real.VocabularyView, [vocabulary]],
  ["Problem", real.Problem, [problem]],
  ["health", real.HealthView, [{ status: "alive", version: "1" }]],
];

/** Every place in a document, as a path of keys. */
function places(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, item]) => places(item, [...path, key]))];
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) };
  (copy as Record<string, unknown>)[key] = replaced((copy as Record<string, unknown>)[key], rest, by);
  return copy;
}

const other = fc.oneof(
  fc.constantFrom(undefined, null, true, -1, 0.5, 2, 41, "", "C", "nothing of the kind", [], {}),
  fc.string(),
);

describe("the bundle's checks of replies", () => {
  test.each(documents)("%s: every sample passes, as it passes zod", (name, schema, samples) => {
    for (const sample of samples) {
      expect(schema.safeParse(sample).success).toBe(true);
      expect(check(name).safeParse(sample)).toEqual({ success: true, data: sample });
    }
  });

  test.each(documents)("%s: with any one place changed, they refuse what zod refuses", (name, schema, samples) => {
    // Lengths and moments are not looked at: nothing in the panel depends on them.
    const unlooked = new Set(["createdAt", "startedAt", "finishedAt", "at", "until"]);
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.nat(), other, (sample, n, by) => {
        const all = places(sample).filter((path) => !unlooked.has(path.at(-1) ?? ""));
        // As it would come over the network: what is undefined is not there.
        const changed: unknown = JSON.parse(JSON.stringify(replaced(sample, all[n % all.length] ?? [], by) ?? null));
        const zod = schema.safeParse(changed);
        const ours = check(name).safeParse(changed);
        const isLength =
          !zod.success && zod.error.issues.every(({ code }) => code === "too_small" || code === "too_big");
        if (!isLength) expect(ours.success).toBe(zod.success);
      }),
      { numRuns: 500 },
    );
  });

  test("what a newer server adds passes", () => {
    expect(check("readJob").safeParse({ ...succeeded, verdict: "accepted" }).success).toBe(true);
  });

  test("the first place that does not fit is named", () => {
    expect(() => check("readJob").parse({ ...succeeded, findings: [{ ...found, voxels: "many" }] })).toThrow(
      "/findings/0/voxels",
    );
  });
});
