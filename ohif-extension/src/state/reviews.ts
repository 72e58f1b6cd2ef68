import type { SubmitReview, Verdict } from "#server/contract/index.ts";
import type { Desk } from "./desk.ts";
import type { Overlays } from "./overlays.ts";
import { withReviews } from "./panel-state.ts";

/** What the user thinks of results. */
export interface Reviews {
  /** For `edited`, the masks are read from the viewer as they are now. */
  give(jobId: string, verdict: Verdict, reason?: string): Promise<void>;
}

export function createReviews(desk: Desk, overlays: Overlays): Reviews {
  const { api, viewer, store, signal, texts } = desk;

  function editedSegments(jobId: string): SubmitReview["segments"] {
    const entry = desk.entry(jobId);
    if (entry?.overlay.kind !== "shown") throw new Error(texts.editNeedsOverlay);
    const { job, review, overlay } = entry;
    // What is shown is the reviewer's own where there is one, which may have fewer segments.
    const numbered: readonly {
      readonly prompt: { readonly id: string };
      readonly segmentNumber?: number | undefined;
    }[] = review?.seg ? review.prompts : job.findings;
    const numbers = numbered.flatMap(({ segmentNumber }) => segmentNumber ?? []);
    const runs = viewer.segmentRuns(overlay.segmentationId, numbers);
    if (!runs) throw new Error(texts.cannotReadEdits);
    return numbered
      .filter(({ prompt }) => job.findings.some(({ present, prompt: { id } }) => present && id === prompt.id))
      .map(({ prompt, segmentNumber }) => ({
        promptId: prompt.id,
        slices: [...(runs.find((one) => one.segmentNumber === segmentNumber)?.slices ?? [])],
      }));
  }

  return {
    give: async (jobId, verdict, reason) => {
      desk.change(jobId, (old) => ({ ...old, reviewing: true }));
      store.update(({ refusal: _earlier, ...state }) => state);
      try {
        const body: SubmitReview = {
          verdict,
          ...(reason && { reason }),
          ...(verdict === "edited" && { segments: editedSegments(jobId) }),
        };
        const review = await api.call("submitReview", { params: { id: jobId }, body, signal });
        store.update((state) => withReviews(state, [review]));
        desk.announce(texts.reviewed[verdict]);
        if (verdict === "edited") {
          // What is stored now is what is shown, and what a reload will show.
          overlays.hide(jobId);
          await overlays.show(jobId);
        }
      } catch (error) {
        if (!signal.aborted) desk.refuse(error);
      } finally {
        desk.change(jobId, (old) => ({ ...old, reviewing: false }));
      }
    },
  };
}
