import type { Desk } from "./desk.ts";
import { messageOf } from "./desk.ts";
import { entriesOfStudy, segShownFor } from "./panel-state.ts";
import type { Drawing, FinishedSlice } from "./viewer-port.ts";

/** What stands in the viewports: stored results, and what running jobs have finished so far. */
export interface Overlays {
  show(jobId: string): Promise<void>;
  hide(jobId: string): void;
  /** People do not notice stored segmentations: those that they asked for themselves are shown. */
  showNewest(): Promise<void>;
  /** Makes ready to draw a job that has begun: that takes longer than its first slice. */
  prepare(jobId: string): void;
  preview(jobId: string, slice: FinishedSlice): void;
  /** Takes what was drawn of a job out again. */
  endPreview(jobId: string): void;
}

/** Results that a study's page shows by itself when it is opened. */
const SHOWN_ON_OPENING = 4;

export function createOverlays(desk: Desk): Overlays {
  const { store, viewer, signal, texts } = desk;
  const drawings = new Map<string, Promise<Drawing | undefined>>();

  async function show(jobId: string): Promise<void> {
    const entry = desk.entry(jobId);
    const seg = entry && segShownFor(entry);
    const kind = entry?.overlay.kind;
    if (!seg || kind === "loading" || kind === "shown") return;
    desk.change(jobId, (old) => ({ ...old, overlay: { kind: "loading" } }));
    try {
      const segmentationId = await viewer.showSeg(seg, signal);
      desk.change(jobId, (old) => ({ ...old, overlay: { kind: "shown", segmentationId } }));
    } catch (error) {
      if (signal.aborted) return;
      const why = messageOf(error);
      desk.change(jobId, (old) => ({ ...old, overlay: { kind: "failed", why } }));
      desk.announce(texts.overlayFailed(why));
    }
  }

  /** The job's drawing, which is opened now unless it was; undefined where it asked for none. */
  function drawingOf(jobId: string): Promise<Drawing | undefined> | undefined {
    const request = desk.entry(jobId)?.job.request;
    if (request?.kind !== "series" || request.prompts.length === 0) return undefined;
    const opened = drawings.get(jobId) ?? viewer.openDrawing(request, request.prompts).catch(() => undefined);
    drawings.set(jobId, opened);
    return opened;
  }

  return {
    show,

    hide: (jobId) => {
      const overlay = desk.entry(jobId)?.overlay;
      if (overlay?.kind !== "shown") return;
      const { segmentationId } = overlay;
      viewer.hideSeg(segmentationId);
      // The same question asked again has the same SEG.
      store.update((state) => ({
        ...state,
        entries: state.entries.map((old) =>
          old.overlay.kind === "shown" && old.overlay.segmentationId === segmentationId
            ? { ...old, overlay: { kind: "hidden" } }
            : old,
        ),
      }));
    },

    showNewest: async () => {
      const seen = new Set<string>();
      const toShow = entriesOfStudy(store.get()).filter((entry) => {
        const uid = segShownFor(entry)?.sopInstanceUid;
        if (uid === undefined || seen.has(uid) || seen.size === SHOWN_ON_OPENING) return false;
        if (entry.review?.verdict === "rejected" || entry.replaced) return false;
        seen.add(uid);
        return entry.overlay.kind === "hidden";
      });
      for (const { job } of toShow) await show(job.id);
    },

    prepare: (jobId) => {
      if (desk.options.preview) drawingOf(jobId);
    },

    preview: (jobId, slice) => {
      const drawing = drawingOf(jobId);
      if (!drawing) return;
      if (!desk.entry(jobId)?.drawn) desk.change(jobId, (old) => ({ ...old, drawn: true }));
      void drawing.then((open) => {
        if (drawings.get(jobId) === drawing) open?.draw(slice);
      });
    },

    endPreview: (jobId) => {
      const drawing = drawings.get(jobId);
      drawings.delete(jobId);
      void drawing?.then((open) => open?.remove());
      desk.change(jobId, (old) => (old.drawn ? { ...old, drawn: false } : old));
    },
  };
}
