import type { ActiveSeries } from "../state/panel-state.ts";
import type { ViewerPort } from "../state/session.ts";
import { loadSeg } from "./load-seg.ts";
import type { DisplaySet, OhifContext } from "./types.ts";

const derived = new Set(["SEG", "RTSTRUCT", "SR", "PR", "KO"]);
const VIEWPORT_WAIT_MS = 30_000;
const VIEWPORT_POLL_MS = 100;

export interface OhifViewer extends ViewerPort, Disposable {}

/** The running viewer, through OHIF's services. What is shown follows into viewports that are opened later. */
export function createOhifViewer(
  context: OhifContext,
  { title, wait }: { readonly title: string; wait(ms: number, signal: AbortSignal): Promise<void> },
): OhifViewer {
  const { services } = context.servicesManager;
  const { cornerstoneViewportService, displaySetService, segmentationService, viewportGridService } = services;
  const shown = new Map<string, DisplaySet>();

  /** Ids of the viewports that show these images. */
  function viewportsOf(displaySetUid: string | undefined): readonly string[] {
    return [...viewportGridService.getState().viewports.values()].flatMap(({ viewportId, displaySetInstanceUIDs }) =>
      displaySetUid !== undefined && displaySetInstanceUIDs?.includes(displaySetUid) ? [viewportId] : [],
    );
  }

  async function addTo(viewportId: string, segmentationId: string): Promise<void> {
    const there = segmentationService.getSegmentationRepresentations(viewportId, { segmentationId });
    if (there.length === 0) {
      await segmentationService.addSegmentationRepresentation(viewportId, { segmentationId, type: "Labelmap" });
    }
  }

  function isReady(viewportId: string): boolean {
    return Boolean(cornerstoneViewportService.getCornerstoneViewport(viewportId)?.getImageData?.());
  }

  function showInNewViewports(): void {
    for (const [segmentationId, { referencedDisplaySetInstanceUID }] of shown) {
      for (const viewportId of viewportsOf(referencedDisplaySetInstanceUID)) {
        if (!isReady(viewportId)) continue;
        // A viewport that closes in between is told to OHIF by itself.
        addTo(viewportId, segmentationId).catch(() => {});
      }
    }
  }

  const layout = cornerstoneViewportService.subscribe(
    cornerstoneViewportService.EVENTS.VIEWPORT_DATA_CHANGED,
    showInNewViewports,
  );

  return {
    activeSeries: () => {
      const { viewports, activeViewportId } = viewportGridService.getState();
      for (const uid of viewports.get(activeViewportId)?.displaySetInstanceUIDs ?? []) {
        const displaySet = displaySetService.getDisplaySetByUID(uid);
        if (displaySet && !derived.has(displaySet.Modality ?? "")) return seriesOf(displaySet);
      }
      return undefined;
    },

    onSeriesChange: (listener) => {
      const { ACTIVE_VIEWPORT_ID_CHANGED, GRID_STATE_CHANGED } = viewportGridService.EVENTS;
      const subscriptions = [ACTIVE_VIEWPORT_ID_CHANGED, GRID_STATE_CHANGED].map((event) =>
        viewportGridService.subscribe(event, listener),
      );
      return () => {
        for (const subscription of subscriptions) subscription.unsubscribe();
      };
    },

    showSeg: async (seg, signal) => {
      const displaySet = await loadSeg(context, seg);
      const { displaySetInstanceUID: segmentationId, referencedDisplaySetInstanceUID } = displaySet;
      for (let waited = 0; waited < VIEWPORT_WAIT_MS; waited += VIEWPORT_POLL_MS) {
        if (viewportsOf(referencedDisplaySetInstanceUID).every(isReady)) break;
        await wait(VIEWPORT_POLL_MS, signal);
      }
      for (const viewportId of viewportsOf(referencedDisplaySetInstanceUID)) await addTo(viewportId, segmentationId);
      displaySet.isHydrated = true;
      shown.set(segmentationId, displaySet);
      return segmentationId;
    },

    hideSeg: (segmentationId) => {
      shown.delete(segmentationId);
      for (const viewportId of viewportGridService.getState().viewports.keys()) {
        segmentationService.removeRepresentationsFromViewport?.(viewportId, { segmentationId });
        segmentationService.removeSegmentationRepresentations?.(viewportId, { segmentationId });
      }
    },

    jumpTo: ({ seriesInstanceUid }, [x, y, z]) => {
      for (const { displaySetInstanceUID } of displaySetService.getDisplaySetsForSeries(seriesInstanceUid) ?? []) {
        for (const viewportId of viewportsOf(displaySetInstanceUID)) {
          const viewport = cornerstoneViewportService.getCornerstoneViewport(viewportId);
          if (viewport?.jumpToWorld) viewport.jumpToWorld([x, y, z]);
          else viewport?.setViewReference?.({ cameraFocalPoint: [x, y, z] });
          viewport?.render?.();
        }
      }
    },

    notify: (message, type) => {
      services.uiNotificationService.show({ title, message, type });
    },

    [Symbol.dispose]: () => layout.unsubscribe(),
  };
}

function seriesOf({ StudyInstanceUID, SeriesInstanceUID, Modality, SeriesDescription }: DisplaySet): ActiveSeries {
  return {
    studyInstanceUid: StudyInstanceUID,
    seriesInstanceUid: SeriesInstanceUID,
    modality: Modality ?? "",
    description: SeriesDescription ?? "",
  };
}
