import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeSeg } from "#converters/dicom/index.ts";
import { browserPath, type Page } from "../../ohif-extension/test/browser.ts";
import { answerTo, newestCard } from "../e2e/panel.ts";
import { expectObjectsVoxels, expectOnObject, openPlanes } from "../e2e/planes.ts";
import { labelsByImage, shownSegmentations } from "../e2e/viewer-page.ts";
import { openWholeViewer, type WholeViewer } from "../e2e/whole-viewer.ts";
import { even, placedSeries } from "../fixtures/placed-series.ts";

if (!browserPath) console.warn("NO BROWSER: the tests of places in the viewer are skipped. apt-get install chromium");

const straight = { row: [1, 0, 0], column: [0, 1, 0], spacing: [1, 1.2] } as const;
const long = placedSeries({ ...straight, name: "300 slices", heights: even(300, 0.5) }, 3);
/** Two slices of a regular stack are not there. */
const holed = placedSeries(
  { ...straight, name: "missing slices", heights: even(26, 2).filter((_, k) => k !== 7 && k !== 16) },
  4,
);
/** No two gaps are the same. */
const uneven = placedSeries(
  { ...straight, name: "uneven", heights: Array.from({ length: 24 }, (_, k) => 2 * k + 0.6 * Math.sin(k)) },
  5,
);
const leaning = placedSeries({ ...straight, name: "tilted", heights: even(24, 2), tilt: 0.2 }, 6);

describe.skipIf(!browserPath)("where a SEG of an unusual series is shown", () => {
  let whole: WholeViewer;
  let page: Page;

  beforeAll(async () => {
    whole = await openWholeViewer(long.instances);
    page = whole.browser.page;
    for (const { instances } of [holed, uneven, leaning]) await whole.service.load(instances);
  });
  afterAll(() => whole?.[Symbol.asyncDispose]());

  test("300 slices: on the object, in the stack and in three planes", async () => {
    const card = await answerTo(page, "bone");
    expect(card.overlay, card.text).toBe("shown");
    await expectObjectsVoxels(page, long);
    await expectOnObject(page, long);
    await openPlanes(page, 1, long.inside);
    await expectOnObject(page, long);
  });

  test("slices that are missing, put onto a regular grid: on the object, in the stack and in three planes", async () => {
    const { state, findings } = await whole.service.job(holed.series, ["bone"], { resample: true });
    expect(state).toBe("succeeded");
    // With the slices that were not there.
    expect(findings[0]?.voxels).toBeGreaterThan(holed.voxels);
    await whole.openStudy(holed.series.studyInstanceUid);
    const card = await newestCard(page, ({ overlay }) => overlay === "shown" || overlay === "failed");
    expect(card.overlay, card.text).toBe("shown");
    await expectObjectsVoxels(page, holed);
    await expectOnObject(page, holed);
    await openPlanes(page, 1, holed.inside);
    await expectOnObject(page, holed);
  });

  test("slices that are not evenly apart are refused, with the reason, before anything is stored", async () => {
    await whole.openStudy(uneven.series.studyInstanceUid);
    const card = await answerTo(page, "bone");
    expect(card.state).toBe("failed");
    expect(card.text).toMatch(/not evenly spaced/);
    expect(await whole.service.segSeries(uneven.series.studyInstanceUid)).toBe(0);
  });

  test.each([
    ["not evenly apart", uneven],
    ["tilted", leaning],
  ])(
    "slices that are %s, resampled: each frame on its image, and on the object in the stack and in three planes",
    async (_, placed) => {
      const { state, result } = await whole.service.job(placed.series, ["bone"], { resample: true });
      expect(state).toBe("succeeded");
      await whole.openStudy(placed.series.studyInstanceUid);
      const card = await newestCard(page, ({ overlay }) => overlay === "shown" || overlay === "failed");
      expect(card.overlay, card.text).toBe("shown");
      const [shown = ""] = Object.values(await shownSegmentations(page)).map((ids) => ids.at(-1));
      const stored = await whole.service.archive.archive.fetchInstance(result!.seg!, {
        signal: AbortSignal.timeout(60_000),
      });
      const drawn = Object.entries(await labelsByImage(page, shown)).map(([imageId, labels]) => {
        const uid = /instances\/([0-9.]+)/.exec(imageId)?.[1] ?? imageId;
        return [uid, labels["1"]?.[0]] as const;
      });
      const seg = decodeSeg(stored);
      const frames = seg.frames.map(({ sourceSopInstanceUid = "" }, n) => {
        return [sourceSopInstanceUid, seg.framePixels(n).reduce((sum, bit) => sum + bit, 0)] as const;
      });
      expect(Object.fromEntries(drawn)).toEqual(Object.fromEntries(frames));
      // The object reaches through half of the slices: a slice of it more or less is the interpolation's.
      expect(frames.length).toBeGreaterThan(10);
      await expectOnObject(page, placed);
      await openPlanes(page, 1, placed.inside);
      await expectOnObject(page, placed);
    },
  );
});
