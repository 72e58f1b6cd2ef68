import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browserPath, type Page } from "../../ohif-extension/test/browser.ts";
import { demoStudies } from "../../server/demo/demo-studies.ts";
import { ask, newestCard, promptBox } from "../e2e/panel.ts";
import { colourAt, openPlanes } from "../e2e/planes.ts";
import { labelmap, shownSegmentations } from "../e2e/viewer-page.ts";
import { openWholeViewer, type WholeViewer } from "../e2e/whole-viewer.ts";

if (!browserPath) console.warn("NO BROWSER: the tests in the real viewer are skipped. apt-get install chromium");

const patience = { timeout: 240_000, interval: 200 };

describe.skipIf(!browserPath)("a T1 head in a real OHIF, with the network in the box", () => {
  let whole: WholeViewer;
  let page: Page;

  beforeAll(async () => {
    const mr = (await demoStudies()).find(({ modality }) => modality === "MR")!;
    whole = await openWholeViewer(mr.instances);
    page = whole.browser.page;
  });
  afterAll(() => whole?.[Symbol.asyncDispose]());

  test("what comes in two sides is completed with the side in front", async () => {
    const offered = () => page.locator("[role=option] > span").allInnerTexts();
    await page.focus(promptBox);
    await page.keyboard.type("left thal");
    await expect.poll(offered, patience).toEqual(["left thalamus"]);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    expect(await page.inputValue(promptBox)).toBe("left thalamus");
    await page.fill(promptBox, "left brain st");
    await expect.poll(offered, patience).toEqual([]);
  });

  test("left and right thalamus: drawn while they are computed, stored, and each on its own side in three planes", async () => {
    await ask(page, "left thalamus, right thalamus");
    const shownIds = async () => Object.values(await shownSegmentations(page)).flat();
    let wasDrawn = false;
    const card = await newestCard(page, ({ state, overlay }) => {
      void shownIds().then((ids) => {
        wasDrawn ||= ids.some((id) => id.startsWith("parse3d-preview"));
      });
      return state === "failed" || overlay === "shown";
    });
    expect(card.overlay, card.text).toBe("shown");
    expect(wasDrawn).toBe(true);
    await expect
      .poll(async () => (await shownIds()).some((id) => id.startsWith("parse3d-preview")), patience)
      .toBe(false);

    const { findings } = await whole.jobOf(card.id);
    const segments = await labelmap(page, (await shownIds())[0] ?? "");
    for (const { box, voxels, segmentNumber } of findings) {
      const shown = segments[String(segmentNumber)]!;
      expect(shown.voxels).toBe(voxels);
      for (const axis of [0, 1, 2]) {
        expect(shown.box.min[axis]).toBeCloseTo(box!.min[axis]!, 2);
        expect(shown.box.max[axis]).toBeCloseTo(box!.max[axis]!, 2);
      }
    }
    const [left, right] = findings.map(({ components }) => components[0]!.centroidLps);
    // LPS: the patient's left is positive.
    expect(left![0]).toBeGreaterThan(right![0] + 10);
    await openPlanes(page, 1, left!);
    for (const centre of [left!, right!]) {
      await expect
        .poll(async () => Math.min(...Object.values(await colourAt(page, centre))), patience)
        .toBeGreaterThan(15);
    }
    // Between the two halves of the front of the brain there is nothing.
    const front = [left![0], left![1] - 60, left![2]] as const;
    expect(Math.max(...Object.values(await colourAt(page, front)))).toBeLessThan(15);
    await whole.picture("mr-planes");
  });

  test("nothing broke in the page on the way", () => {
    expect(whole.browser.complaints).toEqual([]);
  });
});
