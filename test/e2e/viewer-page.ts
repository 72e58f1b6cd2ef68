import type { Page } from "../../ohif-extension/test/browser.ts";

/** What OHIF puts on its window, as far as it is looked at here. */
interface OhifWindow {
  readonly services: {
    readonly segmentationService: {
      getSegmentationRepresentations(viewportId: string): readonly { readonly segmentationId: string }[];
      getSegmentColor(viewportId: string, segmentationId: string, segmentIndex: number): readonly number[];
    };
    readonly displaySetService: {
      getDisplaySetsForSeries(uid: string): readonly { readonly displaySetInstanceUID: string }[];
    };
    readonly viewportGridService: {
      setDisplaySetsForViewports(
        changes: readonly { readonly viewportId: string; readonly displaySetInstanceUIDs: readonly string[] }[],
      ): void;
      setActiveViewportId(viewportId: string): void;
      getState(): { readonly viewports: ReadonlyMap<string, unknown>; readonly activeViewportId: string };
    };
    readonly cornerstoneViewportService: {
      getCornerstoneViewport(id: string): { getImageData?(): unknown; getSliceIndex?(): number } | undefined;
    };
  };
  readonly commandsManager: { run(command: string, options?: unknown): Promise<unknown> };
  readonly cornerstone: {
    readonly cache: {
      getImage(id: string): {
        readonly columns: number;
        readonly referencedImageId: string;
        readonly voxelManager: { getScalarData(): ArrayLike<number> };
      };
    };
    readonly metaData: { get(type: "imagePlaneModule", imageId: string): ImagePlane };
  };
  readonly cornerstoneTools: {
    readonly segmentation: {
      readonly triggerSegmentationEvents: { triggerSegmentationDataModified(segmentationId: string): void };
      readonly state: {
        getSegmentation(
          id: string,
        ):
          | { readonly representationData: { readonly Labelmap?: { readonly imageIds: readonly string[] } } }
          | undefined;
      };
    };
  };
}

interface ImagePlane {
  readonly imagePositionPatient: readonly [number, number, number];
  readonly rowCosines: readonly [number, number, number];
  readonly columnCosines: readonly [number, number, number];
  readonly columnPixelSpacing: number;
  readonly rowPixelSpacing: number;
}

export interface LabelmapSegment {
  readonly voxels: number;
  /** Of the voxels' centres, mm in LPS. */
  readonly box: { readonly min: readonly number[]; readonly max: readonly number[] };
}

/** Resolves when the active viewport holds its images. */
export async function imagesShown(page: Page): Promise<void> {
  await page.waitForFunction(
    () => {
      const { services } = globalThis as unknown as Partial<OhifWindow>;
      const grid = services?.viewportGridService.getState();
      const ids = [...(grid?.viewports.keys() ?? [])];
      const viewportOf = (id: string) => services?.cornerstoneViewportService.getCornerstoneViewport(id);
      return ids.length > 0 && ids.every((id) => viewportOf(id)?.getImageData?.());
    },
    undefined,
    { timeout: 120_000, polling: 100 },
  );
}

/** The segmentations that each viewport shows. */
export function shownSegmentations(page: Page): Promise<Readonly<Record<string, readonly string[]>>> {
  return page.evaluate(() => {
    const { segmentationService, viewportGridService } = (globalThis as unknown as OhifWindow).services;
    const ids = [...viewportGridService.getState().viewports.keys()];
    return Object.fromEntries(
      ids.map((id) => [
        id,
        segmentationService.getSegmentationRepresentations(id).map(({ segmentationId }) => segmentationId),
      ]),
    );
  });
}

/** What stands in cornerstone's own labelmap, by segment number; positions by the images' own metadata. */
export function labelmap(page: Page, segmentationId: string): Promise<Readonly<Record<string, LabelmapSegment>>> {
  return page.evaluate((id) => {
    const { cornerstone, cornerstoneTools } = globalThis as unknown as OhifWindow;
    const imageIds = cornerstoneTools.segmentation.state.getSegmentation(id)?.representationData.Labelmap?.imageIds;
    const segments: Record<string, { voxels: number; box: { min: number[]; max: number[] } }> = {};
    for (const imageId of imageIds ?? []) {
      const { columns, referencedImageId, voxelManager } = cornerstone.cache.getImage(imageId);
      const plane = cornerstone.metaData.get("imagePlaneModule", referencedImageId);
      const { imagePositionPatient: origin, rowCosines, columnCosines } = plane;
      const labels = voxelManager.getScalarData();
      for (let n = 0; n < labels.length; n++) {
        const label = labels[n];
        if (!label) continue;
        segments[label] ??= { voxels: 0, box: { min: [1e9, 1e9, 1e9], max: [-1e9, -1e9, -1e9] } };
        const { box } = segments[label];
        segments[label].voxels += 1;
        const across = (n % columns) * plane.columnPixelSpacing;
        const down = Math.floor(n / columns) * plane.rowPixelSpacing;
        for (let axis = 0; axis < 3; axis++) {
          const at = (origin[axis] ?? 0) + across * (rowCosines[axis] ?? 0) + down * (columnCosines[axis] ?? 0);
          box.min[axis] = Math.min(box.min[axis] ?? 0, at);
          box.max[axis] = Math.max(box.max[axis] ?? 0, at);
        }
      }
    }
    return segments;
  }, segmentationId);
}

/** Red, green, blue and alpha, 0 to 255, in the active viewport. */
export function segmentColour(page: Page, segmentationId: string, segmentNumber: number): Promise<readonly number[]> {
  return page.evaluate(
    ([id, number]) => {
      const { segmentationService, viewportGridService } = (globalThis as unknown as OhifWindow).services;
      const { activeViewportId } = viewportGridService.getState();
      return segmentationService.getSegmentColor(activeViewportId, id, number);
    },
    [segmentationId, segmentNumber] as const,
  );
}

/** Index of the slice in the active viewport. */
export function sliceInView(page: Page): Promise<number | undefined> {
  return page.evaluate(() => {
    const { cornerstoneViewportService, viewportGridService } = (globalThis as unknown as OhifWindow).services;
    const { activeViewportId } = viewportGridService.getState();
    return cornerstoneViewportService.getCornerstoneViewport(activeViewportId)?.getSliceIndex?.();
  });
}

/** Runs one of OHIF's commands. */
export async function runCommand(
  page: Page,
  command: string,
  options: Readonly<Record<string, unknown>>,
): Promise<void> {
  await page.evaluate(
    async ([name, given]) => {
      await (globalThis as unknown as OhifWindow).commandsManager.run(name, given);
    },
    [command, options] as const,
  );
}

/** Of each image and label: how many pixels, and the sums of their columns and rows: a flip or a shift changes them. */
export type LabelSums = Readonly<Record<string, Readonly<Record<string, readonly [number, number, number]>>>>;

/** What stands in cornerstone's own labelmap, image by image; images without labels are left out. */
export function labelsByImage(page: Page, segmentationId: string): Promise<LabelSums> {
  return page.evaluate((id) => {
    const { cornerstone, cornerstoneTools } = globalThis as unknown as OhifWindow;
    const imageIds = cornerstoneTools.segmentation.state.getSegmentation(id)?.representationData.Labelmap?.imageIds;
    const images: Record<string, Record<string, [number, number, number]>> = {};
    for (const imageId of imageIds ?? []) {
      const { columns, referencedImageId, voxelManager } = cornerstone.cache.getImage(imageId);
      const labels = voxelManager.getScalarData();
      for (let n = 0; n < labels.length; n++) {
        const label = labels[n];
        if (!label) continue;
        images[referencedImageId] ??= {};
        images[referencedImageId][label] ??= [0, 0, 0];
        const sums = images[referencedImageId][label];
        sums[0] += 1;
        sums[1] += n % columns;
        sums[2] += Math.floor(n / columns);
      }
    }
    return images;
  }, segmentationId);
}

/** Draws a square of a segment into the labelmap of the image that holds most of it, as a brush does. */
export function drawSquare(page: Page, segmentationId: string, segmentNumber: number, side: number): Promise<void> {
  return page.evaluate(
    ([id, number, width]) => {
      const { cornerstone, cornerstoneTools } = globalThis as unknown as OhifWindow;
      const { imageIds = [] } =
        cornerstoneTools.segmentation.state.getSegmentation(id)?.representationData.Labelmap ?? {};
      const image = cornerstone.cache.getImage(imageIds[Math.floor(imageIds.length / 2)] ?? "");
      const labels = image.voxelManager.getScalarData() as Uint8Array;
      for (let row = 0; row < width; row++) labels.fill(number, row * image.columns, row * image.columns + width);
      cornerstoneTools.segmentation.triggerSegmentationEvents.triggerSegmentationDataModified(id);
    },
    [segmentationId, segmentNumber, side] as const,
  );
}

/** Makes the nth viewport the active one, as a click on it does; waits until there are so many. */
export async function chooseViewport(page: Page, n: number): Promise<void> {
  await page.waitForFunction((index) => {
    const { viewportGridService } = (globalThis as unknown as OhifWindow).services;
    const viewportId = [...viewportGridService.getState().viewports.keys()][index];
    if (viewportId !== undefined) viewportGridService.setActiveViewportId(viewportId);
    return viewportId !== undefined;
  }, n);
}

/** Puts a series into the active viewport, as dragging it there does. */
export async function showSeries(page: Page, seriesInstanceUid: string): Promise<void> {
  await page.waitForFunction((uid) => {
    const { services } = globalThis as unknown as OhifWindow;
    return (services.displaySetService.getDisplaySetsForSeries(uid)?.length ?? 0) > 0;
  }, seriesInstanceUid);
  await page.evaluate((uid) => {
    const { displaySetService, viewportGridService } = (globalThis as unknown as OhifWindow).services;
    const [displaySet] = displaySetService.getDisplaySetsForSeries(uid);
    const viewportId = viewportGridService.getState().activeViewportId;
    if (!displaySet) return;
    const { displaySetInstanceUID } = displaySet;
    viewportGridService.setDisplaySetsForViewports([{ viewportId, displaySetInstanceUIDs: [displaySetInstanceUID] }]);
  }, seriesInstanceUid);
  await imagesShown(page);
}
