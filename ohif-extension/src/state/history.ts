import type { JobView } from "#server/contract/index.ts";
import { ApiProblemError, mayPass } from "../api/errors.ts";
import { hasEnded } from "../api/follow-job.ts";
import type { Desk } from "./desk.ts";
import type { Overlays } from "./overlays.ts";
import { withJobs, withReviews } from "./panel-state.ts";
import type { Questions } from "./questions.ts";

const MOST_JOBS = "100";
/** Until what was refused for the time being is asked again. */
const REFUSED_MS = 5000;

/** What is known of the series in view: its modality's vocabulary, its study's earlier jobs and what was thought of them. */
export interface History {
  /** Asks for what the series in view needs, each thing once. */
  look(): void;
  /** Asks for everything anew: the server was away. */
  lookAgain(): void;
}

export function createHistory(desk: Desk, overlays: Overlays, questions: Questions): History {
  const { api, viewer, store, signal } = desk;
  const asked = new Set<string>();

  function once(what: string, work: () => Promise<void>): void {
    if (asked.has(what)) return;
    asked.add(what);
    desk.inBackground(async () => {
      try {
        await work();
      } catch (error) {
        asked.delete(what);
        if (!(error instanceof ApiProblemError && mayPass(error.problem))) throw error;
        desk.refuse(error);
        await desk.wait(REFUSED_MS, signal);
        look();
      }
    });
  }

  async function readStudy(studyInstanceUid: string): Promise<void> {
    const query = { limit: MOST_JOBS, studyInstanceUid };
    const own = await api.call("listJobs", { query, signal });
    const routed = await api
      .call("listJobs", { query: { ...query, submittedBy: "routing" }, signal })
      .catch(withoutRouting);
    const { reviews } = await api.call("listReviews", { query: { studyInstanceUid }, signal });
    desk.reached();
    const jobs = [...own.jobs, ...routed.jobs];
    store.update((state) => withReviews(withJobs(state, jobs), reviews));
    for (const job of jobs) {
      if (hasEnded(job.state)) continue;
      // One that a person asked for is presented as it would have been, had the page stayed open.
      const isRouted = job.ruleId !== undefined;
      desk.inBackground(() => (isRouted ? questions.follow(job.id) : questions.attend(job)));
    }
    await overlays.showNewest();
  }

  function look(): void {
    const series = viewer.activeSeries();
    store.update(({ series: before, ...rest }) =>
      before?.seriesInstanceUid === series?.seriesInstanceUid
        ? { ...rest, ...(before && { series: before }) }
        : { ...rest, ...(series && { series }) },
    );
    if (!series || desk.isWaiting) return;
    const { modality, studyInstanceUid } = series;
    once(`vocabulary ${modality}`, async () => {
      const query = /^[A-Z][A-Z0-9_]{0,15}$/.test(modality) ? { query: { modality } } : {};
      const vocabulary = await api.call("readVocabulary", { ...query, signal });
      desk.reached();
      store.update((state) => ({ ...state, vocabularies: { ...state.vocabularies, [modality]: vocabulary } }));
    });
    once(`history ${studyInstanceUid}`, () => readStudy(studyInstanceUid));
  }

  return {
    look,
    lookAgain: () => {
      asked.clear();
      look();
    },
  };
}

/** A server that does not route, or keeps what it routed to itself, has the user's own jobs all the same. */
function withoutRouting(error: unknown): { readonly jobs: readonly JobView[] } {
  if (error instanceof ApiProblemError) return { jobs: [] };
  throw error;
}
