import type { KeptNotice } from "#server/domain/index.ts";
import type { Job, JobQueue, SeriesJobRequest } from "#server/jobs/index.ts";
import type { ProbabilityFiles } from "#server/probabilities/index.ts";
import type { Handlers } from "./handlers.ts";
import { HttpError } from "./http-error.ts";
import type { JobAccess } from "./job-access.ts";
import { viewJob } from "./job-view.ts";

export interface ProbabilityParts {
  readonly queue: JobQueue;
  readonly probabilities: Pick<ProbabilityFiles, "find" | "notice">;
  readonly jobOf: JobAccess;
}

/** Probabilities that jobs kept, and new SEGs cut from them. */
export function probabilityHandlers({
  queue,
  probabilities,
  jobOf,
}: ProbabilityParts): Pick<Handlers, "readProbabilities" | "cutAgain"> {
  return {
    readProbabilities: async ({ params }, { owner }) => {
      const job = await jobOf(params.id, owner);
      const file = await probabilities.find(job.id, params.promptId);
      if (!file) throw notKept(job, await probabilities.notice(job.id), params.promptId);
      return {
        path: file.path,
        unpackedBytes: file.columns * file.rows * file.slices,
        headers: {
          "Parse3D-Columns": String(file.columns),
          "Parse3D-Rows": String(file.rows),
          "Parse3D-Slices": String(file.slices),
          "Parse3D-Threshold": String(file.threshold),
        },
      };
    },

    cutAgain: async ({ params, body }, { owner, requestId }) => {
      const job = await jobOf(params.id, owner);
      const kept = await probabilities.notice(job.id);
      if (!kept || job.state !== "succeeded" || job.request.kind !== "series") throw notKept(job, kept);
      const { thresholds } = body;
      const unknown = Object.keys(thresholds).find((promptId) => !kept.prompts.includes(promptId));
      if (unknown !== undefined) throw notKept(job, kept, unknown);
      const { series, model, merge, volume, resample, minimumVolumeMm3 } = job.request;
      const request: SeriesJobRequest = {
        kind: "series",
        series,
        prompts: job.findings.flatMap(({ prompt }) => (kept.prompts.includes(prompt.id) ? prompt : [])),
        ...(model !== undefined && { model }),
        merge,
        outputs: ["seg"],
        ...(volume !== undefined && { volume }),
        ...(resample !== undefined && { resample }),
        ...(minimumVolumeMm3 !== undefined && { minimumVolumeMm3 }),
        recut: { jobId: job.id, thresholds, ...(job.result.seg && { of: job.result.seg }) },
      };
      return viewJob(await queue.submit(request, { owner, requestId }));
    },
  };
}

/** @param promptId the one that was asked for */
function notKept(job: Job, kept: KeptNotice | undefined, promptId?: string): HttpError {
  const known = [...new Set([...job.request.prompts, ...job.findings.map(({ prompt }) => prompt)].map(({ id }) => id))];
  if (promptId !== undefined && !known.includes(promptId)) {
    const ids = known.length > 0 ? `its prompts are ${known.join(", ")}` : "it has none yet";
    return new HttpError("not-found", `The job has no prompt of that id: ${ids}.`);
  }
  if (!kept) {
    return new HttpError(
      "not-found",
      "No probabilities of this job are kept: it has not succeeded, did not ask for it, its model gives none, or they were dropped since. Ask again with keepProbabilities.",
    );
  }
  return new HttpError(
    "not-found",
    `No probabilities of ${promptId ?? "these prompts"} are kept: it was not found, or its model says yes or no only. Kept are those of ${kept.prompts.join(", ")}.`,
  );
}
