import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeSeg } from "#converters/dicom/index.ts";
import type { JobView } from "#server/contract/index.ts";
import type { SeriesRef } from "#server/domain/index.ts";
import { browserPath, openBrowser, type TestBrowser } from "../../ohif-extension/test/browser.ts";
import { startViewer, type Viewer } from "../../ohif-extension/viewer/index.ts";
import { demoStudies } from "../../server/demo/demo-studies.ts";
import { startWholeService, type WholeService } from "../fixtures/whole-service.ts";
import { answerTo, ask, cards, newestCard, promptBox, watchProgress } from "./panel.ts";
import { imagesShown, labelmap, runCommand, segmentColour, shownSegmentations, sliceInView } from "./viewer-page.ts";

const cacheFolder = join(import.meta.dirname, "../../.cache/viewer");
const pictures = join(import.meta.dirname, "../../.cache/e2e");

if (!browserPath) console.warn("NO BROWSER: the tests in the real viewer are skipped. apt-get install chromium");

describe.skipIf(!browserPath)("a real OHIF, a real Orthanc, a real browser, and a CT of a head", () => {
  const signal = new AbortController().signal;
  let service: WholeService;
  let series: SeriesRef;
  let viewer: Viewer;
  let browser: TestBrowser;

  beforeAll(async () => {
    await mkdir(pictures, { recursive: true });
    service = await startWholeService();
    const ct = (await demoStudies()).find(({ modality }) => modality === "CT")!;
    series = await service.load(ct.instances);
    viewer = await startViewer({
      port: 0,
      dicomwebUrl: service.orthanc.dicomwebUrl,
      serverUrl: service.url,
      version: process.env.PARSE3D_TEST_OHIF,
      cacheFolder,
      signal,
      say: () => {},
    });
    browser = await openBrowser();
    await openStudy();
  });

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await viewer?.[Symbol.asyncDispose]();
    await service?.[Symbol.asyncDispose]();
  });

  async function openStudy(): Promise<void> {
    await browser.page.goto(viewer.studyUrl(series.studyInstanceUid));
    await browser.page.waitForSelector(promptBox, { timeout: 120_000 });
    await imagesShown(browser.page);
  }

  const picture = (name: string) => browser.page.screenshot({ path: join(pictures, `${name}.png`) });
  const jobOf = (id: string): Promise<JobView> => service.api.call("readJob", { params: { id } });
  /** The segmentation that every viewport shows last. */
  const newestShown = async () => Object.values(await shownSegmentations(browser.page)).map((ids) => ids.at(-1) ?? "");

  /** Voxels by segment number, as another reader of the stored SEG counts them. */
  async function storedVoxels({ result }: JobView): Promise<Readonly<Record<string, number>>> {
    const seg = decodeSeg(await service.archive.archive.fetchInstance(result!.seg!, { signal }));
    const counts: Record<string, number> = {};
    for (const [index, { segmentNumber = 0 }] of seg.frames.entries()) {
      const set = seg.framePixels(index).reduce((sum, pixel) => sum + (pixel > 0 ? 1 : 0), 0);
      counts[segmentNumber] = (counts[segmentNumber] ?? 0) + set;
    }
    return counts;
  }

  test("completions come from the vocabulary and are taken with the keyboard alone", async () => {
    const { page } = browser;
    await page.focus(promptBox);
    await page.keyboard.type("fat, bo");
    await expect
      .poll(() => page.locator("[role=option]").allInnerTexts())
      .toContainEqual(expect.stringMatching(/^bone/));
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.inputValue(promptBox)).toBe("fat, bone");
    expect(await cards(page)).toEqual([]);
  });

  test("the toolbar's button leads into the box", async () => {
    const { page } = browser;
    await page.locator("[data-cy=parse3d-panel]").click({ position: { x: 5, y: 5 } });
    await page.locator("[data-cy=Parse3D]").click();
    await expect.poll(() => page.locator(`${promptBox}:focus`).count()).toBe(1);
  });

  test("a prompt that is not on the list is pointed out before it is asked", async () => {
    const { page } = browser;
    await page.fill(promptBox, "pancreas");
    await expect.poll(() => page.innerText("[data-cy=parse3d-hint]")).toContain("pancreas");
    await page.fill(promptBox, "skull");
    await expect.poll(() => page.innerText("[data-cy=parse3d-hint]")).not.toContain("skull");
  });

  test("skull, Enter: progress moves, the SEG is stored, and each of its voxels is in the viewport's labelmap", async () => {
    const { page } = browser;
    const progress = await watchProgress(page);
    await ask(page, "skull");
    const card = await newestCard(page, ({ overlay }) => overlay === "shown");
    expect(card.text).toMatch(/skull: present, \d\.\d\d, \d+ mL, \d+ slices/);
    const { bars, stages } = await progress();
    expect(new Set(stages).size).toBeGreaterThanOrEqual(2);
    expect(bars).toEqual([...bars].sort((a, b) => a - b));
    expect(new Set(bars).size).toBeGreaterThanOrEqual(3);

    const job = await jobOf(card.id);
    const [finding] = job.findings;
    const [shown] = await newestShown();
    const segments = await labelmap(page, shown ?? "");
    expect(segments["1"]?.voxels).toBe(finding?.voxels);
    expect(await storedVoxels(job)).toEqual({ 1: finding?.voxels });
    await picture("skull");
  });

  test("left stays left and head stays up: the labelmap spans the box that the server found", async () => {
    const { page } = browser;
    const [card] = await cards(page);
    const [finding] = (await jobOf(card?.id ?? "")).findings;
    const [shown] = await newestShown();
    const { box } = (await labelmap(page, shown ?? ""))["1"]!;
    for (const axis of [0, 1, 2]) {
      expect(box.min[axis]).toBeCloseTo(finding!.box!.min[axis]!, 2);
      expect(box.max[axis]).toBeCloseTo(finding!.box!.max[axis]!, 2);
    }
    // Not symmetric: a flip along any axis would move it.
    const middle = [0, 1, 2].map((axis) => Math.abs(box.min[axis]! + box.max[axis]!));
    expect(Math.min(...middle)).toBeGreaterThan(1);
  });

  test("a click leads to the piece that the row names", async () => {
    const { page } = browser;
    await runCommand(page, "firstImage", {});
    await expect.poll(() => sliceInView(page)).toBe(0);
    await page.locator("[data-cy=parse3d-go]").first().click();
    await expect.poll(() => sliceInView(page)).toBeGreaterThan(10);
  });

  test("two prompts at once come as two segments in two colours", async () => {
    const { page } = browser;
    const card = await answerTo(page, "bone, fat");
    expect(card.text).toMatch(/bone: present/);
    expect(card.text).toMatch(/fat: present/);
    const job = await jobOf(card.id);
    const [shown] = await newestShown();
    const segments = await labelmap(page, shown ?? "");
    expect(Object.values(segments).map(({ voxels }) => voxels)).toEqual(job.findings.map(({ voxels }) => voxels));
    expect(await segmentColour(page, shown ?? "", 1)).not.toEqual(await segmentColour(page, shown ?? "", 2));
    await picture("two-prompts");
  });

  test("what is not in the image is said, and nothing is stored for it", async () => {
    const { page } = browser;
    const before = await service.segSeries(series.studyInstanceUid);
    const card = await answerTo(page, "pancreas");
    expect(card.text).toMatch(/pancreas: not found/);
    expect(await service.segSeries(series.studyInstanceUid)).toBe(before);
  });

  test("Cancel ends a running job", async () => {
    const { page } = browser;
    const before = await service.segSeries(series.studyInstanceUid);
    await ask(page, "bone, lung, air, fat, soft tissue, metal, body, muscle, brain, spine, teeth");
    await page.locator("[data-cy=parse3d-cancel]").first().click();
    const card = await newestCard(page, ({ state }) => state === "cancelled");
    expect((await jobOf(card.id)).state).toBe("cancelled");
    expect(await service.segSeries(series.studyInstanceUid)).toBe(before);
  });

  test("a refused prompt is answered with the server's own words", async () => {
    const { page } = browser;
    await ask(page, "x".repeat(301));
    await expect.poll(() => page.innerText("[data-cy=parse3d-problem]")).toMatch(/300/);
    await picture("refused");
  });

  test("a server that does not answer is named at once, and its return too", async () => {
    const { page } = browser;
    await page.route("**/parse3d-api/**", (route) => route.abort());
    await ask(page, "air");
    const panel = page.locator("[data-cy=parse3d-panel]");
    await expect.poll(() => panel.innerText()).toContain("does not answer");
    await picture("unreachable");
    await page.unroute("**/parse3d-api/**");
    await expect.poll(() => panel.innerText(), { timeout: 20_000 }).not.toContain("does not answer");
    expect((await answerTo(page, "air")).text).toMatch(/air: present/);
  });

  test("a reload finds the jobs again and shows what they found", async () => {
    const { page } = browser;
    const before = (await cards(page)).map(({ id }) => id);
    await openStudy();
    await expect.poll(async () => (await cards(page)).map(({ id }) => id), { timeout: 150_000 }).toEqual(before);
    const overlays = async () =>
      (await cards(page)).flatMap(({ state, overlay }) => (state === "succeeded" ? [overlay] : []));
    await expect
      .poll(async () => (await overlays()).filter((one) => one === "shown").length, { timeout: 150_000 })
      .toBe(3);
    await picture("reloaded");
  });

  test("a layout that is chosen later shows it in every plane", async () => {
    const { page } = browser;
    await runCommand(page, "setHangingProtocol", { protocolId: "mpr" });
    await imagesShown(page);
    const planes = async () => Object.values(await shownSegmentations(page)).map((ids) => ids.length);
    await expect.poll(planes, { timeout: 150_000 }).toEqual([3, 3, 3]);
    await picture("planes");
  });

  test("hidden segmentations are in no viewport, and come back", async () => {
    const { page } = browser;
    await page.locator("[data-cy=parse3d-hide]").first().click();
    const planes = async () => Object.values(await shownSegmentations(page)).map((ids) => ids.length);
    await expect.poll(planes, { timeout: 60_000 }).toEqual([2, 2, 2]);
    await page.locator("[data-cy=parse3d-show]").first().click();
    await expect.poll(planes, { timeout: 60_000 }).toEqual([3, 3, 3]);
  });

  test("nothing broke in the page on the way", () => {
    expect(browser.complaints).toEqual([]);
  });
});
