import type { ActiveSeries } from "../state/panel-state.ts";
import type { ViewerPort } from "../state/viewer-port.ts";
import { openDrawing } from "./drawing.ts";
import { labelmapOf, nearestFirst, runsOfSegments, sameShape, sortedAlongNormal } from "./labelmap.ts";
import { loadSeg } from "./load-seg.ts";
import type { DisplaySet, OhifContext } from "./types.ts";

const derived = new Set(["SEG", "RTSTRUCT", "SR", "PR", "KO"]);
const VIEWPORT_WAIT_MS = 30_000;
const VIEWPORT_POLL_MS = 100;
/** Slices that are relabelled before the viewer is let live on, and how long that takes at least. */
const RELABEL_SLICES = 24;
const RELABEL_PAUSE_MS = 0;

export interface OhifViewer extends ViewerPort, Disposable {}

/** The running viewer, through OHIF's services. What is shown follows into viewports that are opened later. */
export function createOhifViewer(
  context: OhifContext,
  {
    title,
    previewOf,
    wait,
  }: {
    readonly title: string;
    previewOf(prompts: string): string;
    wait(ms: number, signal: AbortSignal): Promise<void>;
  },
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

  function activeDisplaySet(): DisplaySet | undefined {
    const { viewports, activeViewportId } = viewportGridService.getState();
    return viewports
      .get(activeViewportId)
      ?.displaySetInstanceUIDs?.map((uid) => displaySetService.getDisplaySetByUID(uid))
      .find((displaySet) => displaySet && !derived.has(displaySet.Modality ?? ""));
  }

  /** In the active viewport, by its own image: in a reformatted plane none of them is in view. */
  function sliceInView(): number | undefined {
    const { activeViewportId } = viewportGridService.getState();
    const current = cornerstoneViewportService.getCornerstoneViewport(activeViewportId)?.getCurrentImageId?.();
    const { imageIds } = activeDisplaySet() ?? {};
    if (current === undefined || !imageIds?.includes(current)) return undefined;
    const index = sortedAlongNormal(imageIds)?.indexOf(current) ?? -1;
    return index < 0 ? undefined : index;
  }

  const layout = cornerstoneViewportService.subscribe(
    cornerstoneViewportService.EVENTS.VIEWPORT_DATA_CHANGED,
    showInNewViewports,
  );

  return {
    activeSeries: () => {
      const displaySet = activeDisplaySet();
      return displaySet && seriesOf(displaySet);
    },

    sliceInView,

    openDrawing: async ({ seriesInstanceUid }, prompts) => {
      const [displaySet] = displaySetService.getDisplaySetsForSeries(seriesInstanceUid) ?? [];
      if (!displaySet || viewportsOf(displaySet.displaySetInstanceUID).length === 0) return undefined;
      return openDrawing({
        segmentationService,
        displaySet,
        prompts,
        label: previewOf(prompts.map(({ text }) => text).join(", ")),
        show: async (segmentationId) => {
          for (const viewportId of viewportsOf(displaySet.displaySetInstanceUID)) {
            if (isReady(viewportId)) await addTo(viewportId, segmentationId);
          }
        },
      });
    },

    relabel: async (segmentationId, shape, change, signal) => {
      const labelmap = labelmapOf(segmentationId);
      if (!labelmap || !sameShape(labelmap.shape, shape)) return false;
      for (const [n, sliceIndex] of nearestFirst(shape.slices, sliceInView()).entries()) {
        if (n % RELABEL_SLICES === 0 && n > 0) {
          if (n === RELABEL_SLICES) labelmap.redraw();
          await wait(RELABEL_PAUSE_MS, signal);
          signal.throwIfAborted();
        }
        labelmap.change(sliceIndex, change);
      }
      labelmap.redraw();
      return true;
    },

    segmentRuns: (segmentationId, segmentNumbers) => {
      const labelmap = labelmapOf(segmentationId);
      return labelmap && runsOfSegments(labelmap, segmentNumbers);
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
