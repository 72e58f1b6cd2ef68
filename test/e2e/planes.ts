import { expect } from "vitest";
import type { Page } from "../../ohif-extension/test/browser.ts";
import type { PlacedSeries } from "../fixtures/placed-series.ts";
import { imagesShown, labelmap, runCommand, shownSegmentations } from "./viewer-page.ts";

type Point = readonly [number, number, number];

/** What is used of cornerstone's viewports here. */
interface Viewport {
  readonly id: string;
  worldToCanvas(point: Point): readonly [number, number];
  jumpToWorld?(point: Point): unknown;
  setViewReference?(reference: { readonly cameraFocalPoint: Point }): void;
  render(): void;
  getCanvas(): {
    readonly width: number;
    readonly clientWidth: number;
    getContext(kind: "2d"): {
      getImageData(x: number, y: number, width: number, height: number): { readonly data: ArrayLike<number> };
    };
  };
}

interface Window {
  readonly services: {
    readonly viewportGridService: { getState(): { readonly viewports: ReadonlyMap<string, unknown> } };
    readonly cornerstoneViewportService: { getCornerstoneViewport(id: string): Viewport };
  };
}

/**
 * How coloured each viewport is at a point once it was moved there: the difference of its red, green and blue, 0 to 255.
 * Images are grey; what is coloured is an overlay.
 */
export async function colourAt(page: Page, point: Point): Promise<Readonly<Record<string, number>>> {
  await page.evaluate((at) => {
    const { viewportGridService, cornerstoneViewportService } = (globalThis as unknown as Window).services;
    for (const id of viewportGridService.getState().viewports.keys()) {
      const viewport = cornerstoneViewportService.getCornerstoneViewport(id);
      if (viewport.jumpToWorld) viewport.jumpToWorld(at);
      else viewport.setViewReference?.({ cameraFocalPoint: at });
      viewport.render();
    }
  }, point);
  // Drawn in a later frame, and on a busy machine in a much later one.
  await page.waitForTimeout(400);
  return page.evaluate((at) => {
    const { viewportGridService, cornerstoneViewportService } = (globalThis as unknown as Window).services;
    const ids = [...viewportGridService.getState().viewports.keys()];
    return Object.fromEntries(
      ids.map((id) => {
        const viewport = cornerstoneViewportService.getCornerstoneViewport(id);
        const canvas = viewport.getCanvas();
        const scale = canvas.width / canvas.clientWidth;
        const [x, y] = viewport.worldToCanvas(at).map((part) => Math.round(part * scale));
        const { data } = canvas.getContext("2d").getImageData(x ?? 0, y ?? 0, 1, 1);
        const channels = [data[0] ?? 0, data[1] ?? 0, data[2] ?? 0];
        return [id, Math.max(...channels) - Math.min(...channels)];
      }),
    );
  }, point);
}

/** Which way the patient's left, back and head lie on each viewport's screen: to the right and down are positive. */
export function directions(
  page: Page,
  from: Point,
): Promise<Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>> {
  return page.evaluate((at) => {
    const { viewportGridService, cornerstoneViewportService } = (globalThis as unknown as Window).services;
    const ids = [...viewportGridService.getState().viewports.keys()];
    return Object.fromEntries(
      ids.map((id) => {
        const viewport = cornerstoneViewportService.getCornerstoneViewport(id);
        const [x0, y0] = viewport.worldToCanvas(at);
        // Not quite straight in a plane of the images' own; not -0 in any.
        const towards = (axis: number): readonly number[] => {
          const [x, y] = viewport.worldToCanvas(at.map((mm, n) => mm + (n === axis ? 10 : 0)) as unknown as Point);
          const step = (way: number) => (Math.abs(way) < 2 ? 0 : Math.sign(way));
          return [step(x - x0), step(y - y0)];
        };
        return [id, { left: towards(0), back: towards(1), head: towards(2) }];
      }),
    );
  }, from);
}

const patience = { timeout: 120_000, interval: 300 };
/** An overlay is far more coloured than this, an image or its frame far less. */
const COLOURED = 15;

/** The overlay is where the object is, in every viewport, and not where any flip would bring it. */
export async function expectOnObject(page: Page, { inside, flipped }: PlacedSeries): Promise<void> {
  const least = async () => Math.min(...Object.values(await colourAt(page, inside)));
  await expect.poll(least, patience).toBeGreaterThan(COLOURED);
  for (const point of flipped) {
    expect(Math.max(...Object.values(await colourAt(page, point)))).toBeLessThan(COLOURED);
  }
}

/** What cornerstone holds of the segmentation that is shown last is the object, voxel for voxel. */
export async function expectObjectsVoxels(page: Page, placed: PlacedSeries): Promise<void> {
  const [shown = ""] = Object.values(await shownSegmentations(page)).map((ids) => ids.at(-1));
  const { voxels, box } = (await labelmap(page, shown))["1"]!;
  expect(voxels).toBe(placed.voxels);
  for (const axis of [0, 1, 2]) {
    expect(box.min[axis]).toBeCloseTo(placed.box.min[axis]!, 3);
    expect(box.max[axis]).toBeCloseTo(placed.box.max[axis]!, 3);
  }
}

/** Axial, sagittal and coronal, as radiologists look at them, each with so many segmentations. */
export async function openPlanes(page: Page, segmentations: number, from: Point): Promise<void> {
  await runCommand(page, "setHangingProtocol", { protocolId: "mpr" });
  await imagesShown(page);
  const shown = async () => Object.values(await shownSegmentations(page)).map((ids) => ids.length);
  await expect.poll(shown, patience).toEqual([segmentations, segmentations, segmentations]);
  const [right, down, up, flat] = [
    [1, 0],
    [0, 1],
    [0, -1],
    [0, 0],
  ];
  expect(await directions(page, from)).toEqual({
    "mpr-axial": { left: right, back: down, head: flat },
    "mpr-sagittal": { left: flat, back: right, head: up },
    "mpr-coronal": { left: right, back: flat, head: up },
  });
}
