import { type JobEvent as JobEventView, type JobView, procedureStepStateOf } from "#server/contract/index.ts";
import type { StoredObject } from "#server/domain/index.ts";
import { hasEnded, type Job, type JobEvent, type JobRequest, thresholdsOf } from "#server/jobs/index.ts";
import { problemOf } from "./problem.ts";

/** A job as the API shows it: no path, no owner. */
export function viewJob(job: Job): JobView {
  const { id, state, stage, fraction, detail, priority, ruleId, attempt, createdAt, findings } = job;
  const startedAt = "startedAt" in job ? job.startedAt : undefined;
  return {
    id,
    state,
    procedureStepState: procedureStepStateOf[state],
    stage,
    fraction,
    ...(detail !== undefined && { detail }),
    priority,
    ...(ruleId !== undefined && { ruleId }),
    attempt,
    ...(job.state === "queued" && job.retryAt && { retryAt: job.retryAt.toISOString() }),
    createdAt: createdAt.toISOString(),
    ...(startedAt && { startedAt: startedAt.toISOString() }),
    ...(hasEnded(job) && { finishedAt: job.finishedAt.toISOString() }),
    request: viewRequest(job.request),
    findings,
    ...(job.state === "succeeded" && { result: viewResult(job.result) }),
    ...(job.state === "failed" && { problem: problemOf(job.failure, job.requestId) }),
  };
}

export function viewEvent(event: JobEvent): JobEventView {
  const { id, at } = event;
  const base = { id, at: at.toISOString() };
  switch (event.type) {
    case "state":
      return { ...base, type: "state", job: viewJob(event.job) };
    case "progress":
      return {
        ...base,
        type: "progress",
        stage: event.stage,
        fraction: event.fraction,
        ...(event.detail !== undefined && { detail: event.detail }),
      };
    case "finding":
      return { ...base, type: "finding", finding: event.finding };
    case "preview": {
      const { at: _at, ...preview } = event;
      return { ...preview, ...base };
    }
    default:
      return event satisfies never;
  }
}

function viewRequest(request: JobRequest): JobView["request"] {
  const { prompts, model, merge } = request;
  const common = { prompts, merge, ...(model !== undefined && { model }), ...thresholdsOf(request) };
  if (request.kind === "image") {
    return { kind: "image", modality: request.modality, output: request.output, ...common };
  }
  const { series, outputs, segmentationType, deflated, volume, resample, niftiSubfolder, recut } = request;
  return {
    kind: "series",
    ...series,
    outputs,
    ...(segmentationType && { segmentationType }),
    ...(volume !== undefined && { volume }),
    ...(deflated !== undefined && { deflated }),
    ...(resample !== undefined && { resample }),
    ...(niftiSubfolder !== undefined && { niftiSubfolder }),
    ...(recut && { recut: { jobId: recut.jobId, thresholds: recut.thresholds } }),
    ...common,
  };
}

function viewResult(result: Extract<Job, { state: "succeeded" }>["result"]) {
  const { seg, sr, rtstruct, sc, nifti, model, notes, seconds, probabilities } = result;
  return {
    ...(seg && { seg: viewStored(seg) }),
    ...(sr && { sr: viewStored(sr) }),
    ...(rtstruct && { rtstruct: viewStored(rtstruct) }),
    ...(sc && { sc: viewStored(sc) }),
    ...(nifti && { nifti: { file: nifti.file } }),
    model,
    notes,
    ...(probabilities && { probabilities }),
    seconds,
  };
}

function viewStored({ studyInstanceUid, seriesInstanceUid, sopInstanceUid }: StoredObject) {
  return { studyInstanceUid, seriesInstanceUid, sopInstanceUid };
}
