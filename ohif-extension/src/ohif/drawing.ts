import type { Drawing, FinishedSlice } from "../state/viewer-port.ts";
import { labelmapOf, sameShape } from "./labelmap.ts";
import type { DisplaySet, OhifServices } from "./types.ts";

/** Slices come in bursts; drawing viewports takes long, and must not keep the page from anything else. */
const REDRAW = { afterMs: 150, idleWithinMs: 2000 } as const;

interface DrawingOptions {
  readonly segmentationService: OhifServices["segmentationService"];
  /** Of the images. */
  readonly displaySet: DisplaySet;
  readonly prompts: readonly { readonly id: string; readonly text: string }[];
  readonly label: string;
  /** Puts the segmentation into the viewports that show the images. */
  show(segmentationId: string): Promise<void>;
}

/** A labelmap of its own over the images, which is filled as slices are finished. Nothing of it is ever stored. */
export async function openDrawing({
  segmentationService,
  displaySet,
  prompts,
  label,
  show,
}: DrawingOptions): Promise<Drawing | undefined> {
  const segmentationId = `parse3d-preview-${Date.now()}-${Math.random().toString(36).slice(2)}`;
  const segments = Object.fromEntries(
    prompts.map(({ text }, n) => [n + 1, { segmentIndex: n + 1, label: text, active: n === 0 }]),
  );
  if (!segmentationService.createLabelmapForDisplaySet || !segmentationService.remove) return undefined;
  await segmentationService.createLabelmapForDisplaySet(displaySet, { segmentationId, label, segments });
  const labelmap = labelmapOf(segmentationId);
  if (!labelmap) {
    segmentationService.remove(segmentationId);
    return undefined;
  }
  // What is not finished has no outline, which is also what takes longest to draw.
  segmentationService.setStyle?.({ segmentationId, type: "Labelmap" }, { renderOutline: false });
  // Into the viewports before there is anything to see: what they do for the first time takes them longest. A viewport that has
  // closed in between shows nothing more.
  const shown = show(segmentationId).catch(() => {});
  const redraw = () => {
    isWaiting = false;
    if (!removed) labelmap.redraw();
  };
  let isFirst = true;
  let isWaiting = false;
  let removed = false;
  return {
    draw: (slice: FinishedSlice) => {
      const { promptId, sliceIndex, runs } = slice;
      const number = prompts.findIndex(({ id }) => id === promptId) + 1;
      if (removed || number === 0 || !sameShape(labelmap.shape, slice)) return;
      labelmap.change(sliceIndex, (_, labels) => {
        for (let n = 0, at = 0; n < runs.length; n++) {
          const length = runs[n] ?? 0;
          if (n % 2 === 1) labels.fill(number, at, at + length);
          at += length;
        }
        return true;
      });
      if (isWaiting || (isFirst && runs.length < 2)) return;
      isWaiting = true;
      // The first is what somebody waits for.
      if (isFirst) void shown.then(redraw);
      else whenIdle(redraw);
      isFirst = false;
    },
    remove: () => {
      if (removed) return;
      removed = true;
      segmentationService.remove?.(segmentationId);
    },
  };
}

/** A little later, and then when the page has nothing better to do. */
function whenIdle(work: () => void): void {
  setTimeout(() => {
    if (typeof requestIdleCallback === "function") requestIdleCallback(work, { timeout: REDRAW.idleWithinMs });
    else work();
  }, REDRAW.afterMs);
}
