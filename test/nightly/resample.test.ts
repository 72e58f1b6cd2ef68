import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browserPath, type Page } from "../../ohif-extension/test/browser.ts";
import { answerTo, cards, newestCard } from "../e2e/panel.ts";
import { expectOnObject } from "../e2e/planes.ts";
import { openWholeViewer, type WholeViewer } from "../e2e/whole-viewer.ts";
import { even, placedSeries } from "../fixtures/placed-series.ts";

if (!browserPath) console.warn("NO BROWSER: the tests of resampled series are skipped. apt-get install chromium");

/** Two slices of a regular stack are not there. */
const holed = placedSeries(
  {
    name: "missing slices",
    row: [1, 0, 0],
    column: [0, 1, 0],
    spacing: [1, 1.2],
    heights: even(26, 2).filter((_, k) => k !== 7 && k !== 16),
  },
  31,
);

const resample = "[data-cy=parse3d-resample]";

describe.skipIf(!browserPath)("a series with missing slices in a real OHIF", () => {
  let whole: WholeViewer;
  let page: Page;

  beforeAll(async () => {
    whole = await openWholeViewer(holed.instances);
    page = whole.browser.page;
  });
  afterAll(() => whole?.[Symbol.asyncDispose]());

  test("is refused with the reason, and with a button that asks again and puts the slices onto a regular grid", async () => {
    const refused = await answerTo(page, "bone");
    expect(refused.state).toBe("failed");
    expect(refused.text).toMatch(/missing/);
    expect(await whole.service.segSeries(holed.series.studyInstanceUid)).toBe(0);
    await whole.picture("resample-offered");

    await page.focus(resample);
    await page.keyboard.press("Enter");
    const card = await newestCard(
      page,
      ({ id, overlay }) => id !== refused.id && ["shown", "failed"].includes(overlay),
    );
    expect(card).toMatchObject({ state: "succeeded", overlay: "shown" });
    expect(card.text).toMatch(/interpolated onto a regular grid/);
    expect((await whole.jobOf(card.id)).request).toMatchObject({ resample: true });
    expect(await whole.service.segSeries(holed.series.studyInstanceUid)).toBe(1);
    await expectOnObject(page, holed);
    await whole.picture("resampled");
  });

  test("the answer says so after a reload as well, and the button still stands with what was refused only", async () => {
    await whole.openStudy();
    const card = await newestCard(page, ({ overlay }) => overlay === "shown");
    expect(card.text).toMatch(/interpolated onto a regular grid/);
    expect(await page.locator(resample).count()).toBe(1);
    expect((await cards(page)).map(({ state }) => state)).toEqual(["succeeded", "failed"]);
  });

  test("nothing broke in the page on the way", () => {
    expect(whole.browser.complaints).toEqual([]);
  });
});
