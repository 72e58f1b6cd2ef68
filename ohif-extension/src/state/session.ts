import type { JobView, Verdict } from "#server/contract/index.ts";
import { createDesk, type SessionParts } from "./desk.ts";
import { createHistory } from "./history.ts";
import { createOverlays } from "./overlays.ts";
import type { PanelState } from "./panel-state.ts";
import { createQuestions } from "./questions.ts";
import { createReviews } from "./reviews.ts";
import type { Store } from "./store.ts";
import { createThresholds } from "./thresholds.ts";

/** Prompts, jobs and results of one visit to the viewer. Outlives the panel; ends with the mode. */
export interface Session extends Disposable {
  readonly store: Store<PanelState>;
  setDraft(text: string): void;
  /** @returns the job as it ended; undefined where it was not taken or is not known any more: the state tells why */
  segment(prompts: readonly string[]): Promise<JobView | undefined>;
  /** Asks for all that the models recommend for such an image. @returns as `segment` */
  recognise(): Promise<JobView | undefined>;
  /**
   * Asks once more what a job asked; with `resample`, slices that are no regular grid are put onto one; with `force`, what stands
   * answered is computed anew. @returns as `segment`
   */
  askAgain(
    jobId: string,
    options?: { readonly resample?: boolean; readonly force?: boolean },
  ): Promise<JobView | undefined>;
  cancel(jobId: string): Promise<void>;
  show(jobId: string): Promise<void>;
  hide(jobId: string): void;
  jumpTo(jobId: string, pointLps: readonly [number, number, number]): void;
  setThreshold(jobId: string, promptId: string, threshold: number): Promise<void>;
  resetThresholds(jobId: string): Promise<void>;
  saveThresholds(jobId: string): Promise<JobView | undefined>;
  review(jobId: string, verdict: Verdict, reason?: string): Promise<void>;
}

export function createSession(parts: SessionParts): Session {
  const closing = new AbortController();
  const desk = createDesk(parts, closing.signal, () => history.lookAgain());
  const overlays = createOverlays(desk);
  const questions = createQuestions(desk, overlays);
  const history = createHistory(desk, overlays, questions);
  const thresholds = createThresholds(desk, overlays, questions);
  const reviews = createReviews(desk, overlays);
  const { store, viewer } = desk;
  const unsubscribe = viewer.onSeriesChange(history.look);
  history.look();
  return {
    store,
    setDraft: (draft) => store.update((state) => ({ ...state, draft })),
    segment: async (prompts) =>
      prompts.length === 0 && viewer.activeSeries() ? undefined : questions.ask({ prompts: [...prompts] }),
    recognise: () => questions.ask({ recognise: true }),
    askAgain: questions.askAgain,
    cancel: questions.cancel,
    show: overlays.show,
    hide: overlays.hide,
    jumpTo: (jobId, pointLps) => {
      const request = desk.entry(jobId)?.job.request;
      if (request?.kind === "series") viewer.jumpTo(request, pointLps);
    },
    setThreshold: thresholds.set,
    resetThresholds: thresholds.reset,
    saveThresholds: thresholds.save,
    review: reviews.give,
    [Symbol.dispose]: () => {
      unsubscribe();
      closing.abort(new DOMException("the viewer was left", "AbortError"));
    },
  };
}
