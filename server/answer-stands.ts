import type { ModelCard } from "#models/index.ts";
import { type ArchiveContents, nameOfInstances, presentEdition } from "#server/domain/index.ts";
import { cardFor } from "#server/engines/index.ts";
import type { SeriesJobRequest, SucceededJob } from "#server/jobs/index.ts";
import type { ProbabilityFiles } from "#server/probabilities/index.ts";
import type { ReviewStore } from "#server/reviews/index.ts";
import type { Logger } from "./logger.ts";

export interface StandingParts {
  readonly archive: ArchiveContents;
  /** Of all machines that do jobs: one name comes several times where several have it. */
  readonly models: () => Promise<readonly ModelCard[]>;
  readonly reviews: Pick<ReviewStore, "list">;
  readonly probabilities: Pick<ProbabilityFiles, "notice">;
  readonly logger: Logger;
  /** What cannot be told so soon counts as changed; default 2000. */
  readonly patienceMs?: number;
}

/** Whether asking a job's question again would give what it stored. */
export type AnswerStands = (job: SucceededJob, options: { readonly signal: AbortSignal }) => Promise<boolean>;

/** Why a job's answer will not do any more; `unknown`: that could not be told in time. */
type Change = "question" | "program" | "model" | "review" | "probabilities" | "instances" | "results" | "unknown";

/**
 * Asks what can have changed since a job succeeded: the program, the model, what people think of it, what it kept, the
 * instances of the series, and what it stored. Never throws.
 */
export function createAnswerStands({ archive, patienceMs = 2000, logger, ...parts }: StandingParts): AnswerStands {
  async function change(job: SucceededJob, signal: AbortSignal): Promise<Change | undefined> {
    const { request, result } = job;
    const { basis } = result;
    if (request.kind !== "series" || request.recut || request.outputs.includes("nifti") || !basis) return "question";
    if (basis.edition !== presentEdition) return "program";
    const card = cardNow(await parts.models(), request, basis.modality);
    if (card?.name !== basis.model.name || card.sha256 !== basis.model.sha256) return "model";
    const reviews = await parts.reviews.list({ jobOwners: [job.owner], jobId: job.id, limit: 100 });
    if (reviews.some(({ verdict }) => verdict !== "accepted")) return "review";
    if (request.keepProbabilities && result.probabilities && !(await parts.probabilities.notice(job.id)))
      return "probabilities";
    const stored = [result.seg, result.sr, result.rtstruct, result.sc].filter((object) => object !== undefined);
    const [listed, ...held] = await Promise.all([
      archive.listInstances(request.series, { signal }),
      ...stored.map((object) => archive.holds(object, { signal })),
    ]);
    if (nameOfInstances(listed) !== basis.instances) return "instances";
    return held.includes(false) ? "results" : undefined;
  }

  return async (job, { signal }) => {
    const began = performance.now();
    const limit = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
    const late = Promise.withResolvers<Change>();
    limit.addEventListener("abort", () => late.resolve("unknown"), { once: true });
    // Whoever asked may be gone already: of that no event tells.
    if (limit.aborted) late.resolve("unknown");
    const told = change(job, limit).catch((err): Change => {
      logger.debug({ event: "job.not-compared", jobId: job.id, err });
      return "unknown";
    });
    const reason = await Promise.race([told, late.promise]);
    const ms = Math.round(performance.now() - began);
    logger.info({ event: reason === undefined ? "job.reused" : "job.not-reused", jobId: job.id, ms, reason });
    return reason === undefined;
  };
}

/**
 * The model that would answer now; undefined where none would, or where machines have different ones of its name. In the
 * order in which jobs choose among machines.
 */
function cardNow(
  cards: readonly ModelCard[],
  { prompts, model }: SeriesJobRequest,
  modality: string,
): ModelCard | undefined {
  const ordered = cards.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  try {
    const chosen = cardFor(ordered, { modality, prompts, ...(model !== undefined && { name: model }) });
    return cards.some(({ name, sha256 }) => name === chosen.name && sha256 !== chosen.sha256) ? undefined : chosen;
  } catch {
    return undefined;
  }
}
