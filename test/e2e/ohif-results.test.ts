import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeSeg } from "#converters/dicom/index.ts";
import type { JobView } from "#server/contract/index.ts";
import { browserPath, type Page } from "../../ohif-extension/test/browser.ts";
import { demoStudies } from "../../server/demo/demo-studies.ts";
import { answerTo, ask, cards, newestCard } from "./panel.ts";
import { drawSquare, type LabelSums, labelmap, labelsByImage, shownSegmentations } from "./viewer-page.ts";
import { openWholeViewer, type WholeViewer } from "./whole-viewer.ts";

if (!browserPath) console.warn("NO BROWSER: the tests in the real viewer are skipped. apt-get install chromium");

const patience = { timeout: 180_000, interval: 200 };

describe.skipIf(!browserPath)("results in a real OHIF: previews, thresholds, reviews", () => {
  let whole: WholeViewer;
  let page: Page;

  beforeAll(async () => {
    const ct = (await demoStudies()).find(({ modality }) => modality === "CT")!;
    whole = await openWholeViewer(ct.instances);
    page = whole.browser.page;
  });
  afterAll(() => whole?.[Symbol.asyncDispose]());

  const shownIds = async () => Object.values(await shownSegmentations(page)).flat();
  const isPreview = (id: string) => id.startsWith("parse3d-preview");
  const newestShown = async () => (await shownIds()).filter((id) => !isPreview(id)).at(-1) ?? "";
  const voxelsShown = async () => (await labelmap(page, await newestShown()))["1"]?.voxels;

  /** Voxels of segment 1, as another reader of the stored SEG counts them. */
  async function storedVoxels({ result }: Pick<JobView, "result">): Promise<number> {
    const { archive } = whole.service.archive;
    const seg = decodeSeg(await archive.fetchInstance(result!.seg!, { signal: AbortSignal.timeout(60_000) }));
    return seg.frames.reduce((sum, _, n) => sum + seg.framePixels(n).reduce((a, b) => a + b, 0), 0);
  }

  test("finished slices are drawn while the job runs, where the stored SEG has them too, and then give way to it", async () => {
    await ask(page, "bone, air, fat, brain, muscle");
    let drawn: LabelSums = {};
    const card = await newestCard(page, ({ state, overlay }) => state !== "succeeded" || overlay !== "shown");
    await expect
      .poll(async () => {
        const preview = (await shownIds()).find(isPreview);
        const [newest] = await cards(page);
        if (newest?.state === "failed") throw new Error(newest.text);
        if (preview) drawn = await labelsByImage(page, preview);
        return Object.keys(drawn).length;
      }, patience)
      .toBeGreaterThan(2);
    await whole.picture("preview");
    await newestCard(page, ({ overlay }) => overlay === "shown");
    await expect.poll(async () => (await shownIds()).some(isPreview), patience).toBe(false);

    // Segments are numbered by what was found, drawn labels by what was asked.
    const job = await whole.jobOf(card.id);
    const numbers = new Map(job.findings.map(({ prompt, segmentNumber }) => [prompt.id, segmentNumber]));
    const stored = await labelsByImage(page, await newestShown());
    for (const [image, labels] of Object.entries(drawn)) {
      for (const [label, sums] of Object.entries(labels)) {
        expect(stored[image]?.[String(numbers.get(`p${label}`))]).toEqual(sums);
      }
    }
    await page.locator("[data-cy=parse3d-hide]").first().click();
  });

  test("the slider cuts the mask in the viewer, and Save stores exactly that as another SEG that says so", async () => {
    const card = await answerTo(page, "skull");
    const at50 = await voxelsShown();
    expect(at50).toBe(await storedVoxels(await whole.jobOf(card.id)));
    const slider = page.locator("[data-cy=parse3d-threshold]").first();
    // By keyboard, as well as with the mouse.
    await page.locator("[data-cy=parse3d-thresholds] summary").first().focus();
    for (const key of ["Enter", "Tab", "ArrowRight"]) await page.keyboard.press(key);
    await expect.poll(() => slider.inputValue(), patience).toBe("0.51");
    await page.keyboard.press("ArrowLeft");
    // Cut piece by piece, the slice in view first: the slider tells the count when all of it is done.
    const told = async () => Number(await slider.getAttribute("data-voxels"));
    await expect.poll(told, patience).toBe(at50);
    await slider.fill("0.8");
    await expect.poll(told, patience).not.toBe(at50);
    const at80 = await told();
    expect(await voxelsShown()).toBe(at80);
    expect(at80).toBeLessThan(at50!);
    await slider.fill("0.5");
    await expect.poll(voxelsShown, patience).toBe(at50);
    await slider.fill("0.8");
    await expect.poll(voxelsShown, patience).toBe(at80);
    await whole.picture("threshold");

    await page.locator("[data-cy=parse3d-save-threshold]").first().click();
    const saved = await newestCard(page, ({ id, overlay }) => id !== card.id && overlay === "shown");
    const job = await whole.jobOf(saved.id);
    expect(job.request).toMatchObject({ recut: { jobId: card.id, thresholds: { p1: 0.8 } } });
    expect(await storedVoxels(job)).toBe(at80);
    expect(job.findings[0]?.voxels).toBe(at80);
    await expect.poll(voxelsShown, patience).toBe(at80);
    expect(job.result?.seg?.sopInstanceUid).not.toBe((await whole.jobOf(card.id)).result?.seg?.sopInstanceUid);
  });

  test("an edit is stored beside the model's SEG, and the verdict tells how far the two agree", async () => {
    const [card] = await cards(page);
    const before = (await voxelsShown())!;
    await drawSquare(page, await newestShown(), 1, 40);
    const after = (await voxelsShown())!;
    expect(after).toBeGreaterThan(before);
    await page.locator("[data-cy=parse3d-review-edited]").first().click();
    await expect.poll(() => page.locator("[data-cy=parse3d-verdict]").first().innerText(), patience).toMatch(/Dice/);
    const { reviews } = await whole.service.api.call("listReviews", {});
    const [review] = reviews;
    expect(review).toMatchObject({ jobId: card?.id, verdict: "edited", mine: true });
    // The square lies outside: all of the old mask is in the new one.
    expect(review?.prompts[0]?.dice).toBeCloseTo((2 * before) / (before + after), 6);
    const stored = await storedVoxels({ result: { seg: review!.seg } } as unknown as JobView);
    expect(stored).toBe(after);
    await expect.poll(voxelsShown, patience).toBe(after);
    await whole.picture("reviewed");
  });

  test("a rejection keeps its reason", async () => {
    await answerTo(page, "fat");
    await page.locator("[data-cy=parse3d-review-rejected]").first().click();
    await page.locator("[data-cy=parse3d-reason]").fill("not what I meant");
    await page.keyboard.press("Enter");
    await expect
      .poll(() => page.locator("[data-cy=parse3d-verdict]").first().innerText(), patience)
      .toBe("rejected: not what I meant");
  });

  test("a reload finds jobs and verdicts again, shows the edit, and leaves out what was rejected or replaced", async () => {
    const ids = (await cards(page)).map(({ id }) => id);
    await whole.openStudy();
    await expect.poll(async () => (await cards(page)).map(({ id }) => id), patience).toEqual(ids);
    await expect
      .poll(async () => (await cards(page)).map(({ overlay }) => overlay), patience)
      .toEqual(["hidden", "shown", "hidden", "shown"]);
    const verdicts = page.locator("[data-cy=parse3d-verdict]");
    expect(await verdicts.evaluateAll((all: readonly { readonly dataset: unknown }[]) => all.length)).toBe(2);
    await whole.picture("history");
  });

  test("nothing broke in the page on the way", () => {
    expect(whole.browser.complaints).toEqual([]);
  });
});
