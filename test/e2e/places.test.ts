import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browserPath, type Page } from "../../ohif-extension/test/browser.ts";
import { even, placedSeries } from "../fixtures/placed-series.ts";
import { answerTo } from "./panel.ts";
import { expectObjectsVoxels, expectOnObject, openPlanes } from "./planes.ts";
import { openWholeViewer, type WholeViewer } from "./whole-viewer.ts";

if (!browserPath) console.warn("NO BROWSER: the tests of places in the viewer are skipped. apt-get install chromium");

const axial = placedSeries(
  { name: "axial", row: [1, 0, 0], column: [0, 1, 0], spacing: [1, 1.2], heights: even(24, 2) },
  1,
);
const oblique = placedSeries(
  { name: "oblique", row: [0.9, 0.3, -0.2], column: [-0.2, 0.8, 0.5], spacing: [0.9, 1.1], heights: even(24, 1.7) },
  2,
);

describe.skipIf(!browserPath)("where a SEG is shown", () => {
  let whole: WholeViewer;
  let page: Page;

  beforeAll(async () => {
    whole = await openWholeViewer(axial.instances);
    page = whole.browser.page;
    await whole.service.load(oblique.instances);
  });
  afterAll(() => whole?.[Symbol.asyncDispose]());

  test.each([
    ["an axial series", axial],
    ["an oblique series", oblique],
  ])(
    "%s: on the object, in the stack and in three planes, and nowhere that a flip would bring it",
    async (_, placed) => {
      await whole.openStudy(placed.series.studyInstanceUid);
      const card = await answerTo(page, "bone");
      expect(card.overlay, card.text).toBe("shown");
      await expectObjectsVoxels(page, placed);
      await expectOnObject(page, placed);
      await openPlanes(page, 1, placed.inside);
      await expectOnObject(page, placed);
    },
  );

  test("nothing broke in the page on the way", () => {
    expect(whole.browser.complaints).toEqual([]);
  });
});
