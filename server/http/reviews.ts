import type { ModelCard } from "#models/index.ts";
import type { ReviewView } from "#server/contract/index.ts";
import type { EditRequest, EditResult, StoredObject } from "#server/domain/index.ts";
import { type Job, JobConflictError } from "#server/jobs/index.ts";
import type { Review, ReviewStore } from "#server/reviews/index.ts";
import { ROUTING_OWNER } from "#server/routing/index.ts";
import type { TaskRunner } from "#server/tasks/index.ts";
import type { Handlers } from "./handlers.ts";
import type { JobAccess } from "./job-access.ts";
import type { InstalledModels } from "./models.ts";

export interface ReviewParts {
  readonly reviews: ReviewStore;
  readonly tasks: TaskRunner;
  readonly models: InstalledModels;
  readonly jobOf: JobAccess;
}

type Succeeded = Extract<Job, { readonly state: "succeeded" }>;

/** What people think of results. The person is the owner of a token: nobody's name is known here, and none is written. */
export function reviewHandlers({
  reviews,
  tasks,
  models,
  jobOf,
}: ReviewParts): Pick<Handlers, "submitReview" | "listReviews"> {
  async function edited(job: Succeeded, masks: EditRequest["edited"], signal: AbortSignal) {
    const { request, result, findings } = job;
    if (request.kind !== "series" || !result.seg) throw nothingStored();
    const { series, volume, resample } = request;
    return tasks(
      "edit",
      {
        series,
        ...(volume !== undefined && { volume }),
        ...(resample !== undefined && { resample }),
        of: result.seg,
        findings: inOrder(job, findings),
        card: cardOf(result.model, await models()),
        edited: masks,
      },
      { signal },
    );
  }

  return {
    submitReview: async ({ params, body }, { owner, signal }) => {
      const job = await jobOf(params.id, owner);
      const { request } = job;
      if (job.state !== "succeeded" || request.kind !== "series") {
        throw new JobConflictError("Only the result of a job about a series that succeeded can be reviewed.");
      }
      const unknown = body.segments?.find(({ promptId }) => !job.findings.some(({ prompt }) => prompt.id === promptId));
      if (unknown)
        throw new JobConflictError(`The job has no prompt ${unknown.promptId}: segments are named by its prompts.`);
      const edit = body.verdict === "edited" ? await edited(job, body.segments ?? [], signal) : undefined;
      const review: Review = {
        jobId: job.id,
        jobOwner: job.owner,
        reviewer: owner,
        verdict: body.verdict,
        ...(body.reason !== undefined && { reason: body.reason }),
        at: new Date(),
        ...request.series,
        model: { name: job.result.model.name, version: job.result.model.version },
        prompts: inOrder(job, job.findings).map(({ prompt, present, score, volumeMl }) => ({
          prompt,
          present,
          score,
          ...(volumeMl !== undefined && { volumeMl }),
          ...(edit && told(edit, prompt.id)),
        })),
        ...(edit && { seg: edit.seg }),
      };
      await reviews.put(review);
      return viewReview(review, owner);
    },

    listReviews: async ({ query: { limit, studyInstanceUid, verdict } }, { owner }) => {
      const found = await reviews.list({
        jobOwners: [owner, ROUTING_OWNER],
        limit,
        ...(studyInstanceUid !== undefined && { studyInstanceUid }),
        ...(verdict !== undefined && { verdict }),
      });
      return { reviews: found.map((review) => viewReview(review, owner)) };
    },
  };
}

function told({ dice, segmentNumbers }: EditResult, promptId: string) {
  const segmentNumber = segmentNumbers[promptId];
  return { dice: dice[promptId] ?? 0, ...(segmentNumber !== undefined && { segmentNumber }) };
}

function viewReview({ jobOwner: _owner, reviewer, at, seg, ...review }: Review, caller: string): ReviewView {
  return {
    ...review,
    at: at.toISOString(),
    mine: reviewer === caller,
    ...(seg && { seg: refOf(seg) }),
  };
}

function refOf({ studyInstanceUid, seriesInstanceUid, sopInstanceUid }: StoredObject) {
  return { studyInstanceUid, seriesInstanceUid, sopInstanceUid };
}

/** Findings come as they are told; prompts have an order. */
function inOrder({ request }: Job, findings: Job["findings"]): Job["findings"] {
  const order = request.prompts.map(({ id }) => id);
  return [...findings].sort((a, b) => order.indexOf(a.prompt.id) - order.indexOf(b.prompt.id));
}

/** The model that answered; where it is not installed any more, what its answer said of it. */
function cardOf(model: Succeeded["result"]["model"], cards: readonly ModelCard[]): EditRequest["card"] {
  const card = cards.find(({ name, version }) => name === model.name && version === model.version);
  if (card) return card;
  const algorithmFamily = model.trained ? "artificial-intelligence" : "density-rules";
  return { ...model, algorithmFamily, sha256: "" };
}

function nothingStored(): JobConflictError {
  return new JobConflictError("The job stored no segmentation, so there is none to edit. Accept or reject its answer.");
}
