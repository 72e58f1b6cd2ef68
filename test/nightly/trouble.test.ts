import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SeriesRef } from "#server/domain/index.ts";
import { browserPath, type Page } from "../../ohif-extension/test/browser.ts";
import { answerTo, ask, cards, newestCard, promptBox } from "../e2e/panel.ts";
import { chooseViewport, imagesShown, runCommand, showSeries } from "../e2e/viewer-page.ts";
import { openWholeViewer, type WholeViewer } from "../e2e/whole-viewer.ts";
import { axial, ctSlice } from "../fixtures/ct-slices.ts";
import { type GatedArchive, startGatedArchive } from "../fixtures/gated-archive.ts";
import { even, placedSeries } from "../fixtures/placed-series.ts";
import { stackedImage, US } from "../fixtures/stacked-images.ts";

if (!browserPath) console.warn("NO BROWSER: the tests of trouble in the viewer are skipped. apt-get install chromium");

const patience = { timeout: 120_000, interval: 200 };
const [one, other] = ["0123456789abcdef-one", "0123456789abcdef-two"] as const;

const block = (id: number) =>
  placedSeries({ name: `block ${id}`, row: [1, 0, 0], column: [0, 1, 0], spacing: [1, 1.2], heights: even(24, 2) }, id);

/** A sweep in colours: no volume, and no grey values. */
const cine = stackedImage([1, 2, 3, 4], {
  ...US,
  SOPInstanceUID: "2.25.78.1.1",
  StudyInstanceUID: "2.25.78",
  SeriesInstanceUID: "2.25.78.1",
  PatientID: "CINE",
  Rows: 64,
  Columns: 64,
  BitsAllocated: 8,
  BitsStored: 8,
  HighBit: 7,
  SamplesPerPixel: 3,
  PlanarConfiguration: 0,
  PhotometricInterpretation: "RGB",
  PixelSpacing: undefined,
  FrameTime: "40",
  PixelData: new Uint8Array(4 * 64 * 64 * 3).map((_, n) => n % 251),
});

/** Slices in colours that lie as those of a CT do, and call themselves one. */
const coloured = Array.from({ length: 6 }, (_, k) =>
  ctSlice(k, axial, {
    SOPClassUID: "1.2.840.10008.5.1.4.1.1.7",
    SOPInstanceUID: `2.25.79.1.${k + 1}`,
    StudyInstanceUID: "2.25.79",
    SeriesInstanceUID: "2.25.79.1",
    PatientID: "COLOURED",
    InstanceNumber: String(k + 1),
    Rows: 64,
    Columns: 64,
    BitsAllocated: 8,
    BitsStored: 8,
    HighBit: 7,
    SamplesPerPixel: 3,
    PlanarConfiguration: 0,
    PhotometricInterpretation: "RGB",
    RescaleSlope: undefined,
    RescaleIntercept: undefined,
    PixelData: new Uint8Array(64 * 64 * 3).map((_, n) => (n + 40 * k) % 251),
  }),
);

/** The page's requests to the Parse3D server are from now on this user's. */
async function signIn(page: Page, token: string): Promise<void> {
  await page.unroute("**/parse3d-api/**");
  await page.route("**/parse3d-api/**", (route) =>
    route.continue({ headers: { ...route.request().headers(), authorization: `Bearer ${token}` } }),
  );
}

describe.skipIf(!browserPath)("what goes wrong is named in the panel, and the viewer goes on", () => {
  let whole: WholeViewer;
  let gate: GatedArchive;
  let page: Page;
  const [first, second] = [block(11), block(12)];

  beforeAll(async () => {
    whole = await openWholeViewer(
      first.instances,
      { PARSE3D_TOKENS: `${one},${other}`, PARSE3D_JOB_CONCURRENCY: "1", PARSE3D_JOB_BACKLOG: "1" },
      async (dicomwebUrl) => {
        gate = await startGatedArchive(dicomwebUrl);
        return gate.url;
      },
    );
    page = whole.browser.page;
    await whole.service.load(second.instances);
    await whole.service.load([cine]);
    await whole.service.load(coloured);
  });
  afterAll(async () => {
    await whole?.[Symbol.asyncDispose]();
    await gate?.[Symbol.asyncDispose]();
  });

  /** Opens a study's page, in which so many answers stand already. */
  async function open(studyInstanceUid: string, answers = 0): Promise<void> {
    await page.goto(whole.viewer.studyUrl(studyInstanceUid));
    await page.waitForSelector(promptBox);
    await imagesShown(page);
    await expect.poll(async () => (await cards(page)).length, patience).toBe(answers);
  }

  const panelText = () => page.innerText("[data-cy=parse3d-panel]");
  const segs = ({ studyInstanceUid }: SeriesRef) => whole.service.segSeries(studyInstanceUid);

  test("nobody is signed in: the server's words say so, and the panel goes on by itself afterwards", async () => {
    const problems = page.locator("[data-cy=parse3d-problem]");
    await expect.poll(async () => (await problems.allInnerTexts()).join(), patience).toMatch(/A valid token is needed/);
    await signIn(page, one);
    await expect.poll(() => problems.count(), patience).toBe(0);
    await page.fill(promptBox, "bo");
    await expect.poll(() => page.locator("[role=option]").count(), patience).toBeGreaterThan(0);
  });

  test("too many jobs at once: the one that is refused is named, those that were taken are done", async () => {
    const held = gate.hold("fetching");
    await ask(page, "bone");
    await held.reached;
    await ask(page, "air");
    await expect.poll(async () => (await cards(page)).length, patience).toBe(2);
    await ask(page, "fat");
    await expect.poll(() => page.locator("[data-cy=parse3d-problem]").innerText(), patience).toMatch(/waiting|many/i);
    expect((await cards(page)).length).toBe(2);
    held.open();
    await expect
      .poll(async () => (await cards(page)).map(({ overlay }) => overlay), patience)
      .toEqual(["shown", "shown"]);
    await whole.picture("refused-for-now", page);
    expect((await answerTo(page, "fat")).state).toBe("succeeded");
    expect(await panelText()).not.toMatch(/More about this error/);
  });

  test("a series in the viewport of another study is asked about in its own study, and listed there", async () => {
    const both = [first, second].map(({ series }) => series.studyInstanceUid).join(",");
    await whole.openStudy(both);
    await showSeries(page, second.series.seriesInstanceUid);
    await expect.poll(async () => (await cards(page)).length, patience).toBe(0);
    const card = await answerTo(page, "bone");
    expect(card).toMatchObject({ state: "succeeded", overlay: "shown" });
    expect(await segs(second.series)).toBe(1);
    await showSeries(page, first.series.seriesInstanceUid);
    await expect.poll(async () => (await cards(page)).length, patience).toBe(3);
  });

  test("two users ask the same at once: both see it, and the archive has it once", async () => {
    const before = await segs(second.series);
    const neighbour = await page.context().newPage();
    neighbour.setDefaultTimeout(180_000);
    await signIn(neighbour, other);
    await whole.openStudy(second.series.studyInstanceUid);
    await neighbour.goto(whole.viewer.studyUrl(second.series.studyInstanceUid));
    await neighbour.waitForSelector(promptBox);
    await imagesShown(neighbour);
    // Each has jobs of their own.
    expect((await cards(neighbour)).length).toBe(0);
    const answers = await Promise.all([answerTo(page, "air"), answerTo(neighbour, "air")]);
    expect(answers.map(({ overlay }) => overlay)).toEqual(["shown", "shown"]);
    expect(answers[0]?.id).not.toBe(answers[1]?.id);
    expect(await segs(second.series)).toBe(before + 1);
    await neighbour.close();
  });

  test("the tab is closed in the middle of a job: another finds it, and shows what it found, once", async () => {
    const before = await segs(second.series);
    const context = page.context();
    const held = gate.hold("storing");
    await ask(page, "body");
    await held.reached;
    await page.close();
    page = await context.newPage();
    page.setDefaultTimeout(180_000);
    await signIn(page, one);
    await page.goto(whole.viewer.studyUrl(second.series.studyInstanceUid));
    await page.waitForSelector(promptBox);
    await expect.poll(async () => (await cards(page).catch(() => []))[0]?.state, patience).toBe("running");
    held.open();
    await newestCard(page, ({ overlay }) => overlay === "shown");
    expect(await segs(second.series)).toBe(before + 1);
  });

  test("an ultrasound cine in colours: said before it is asked, refused in words when it is asked all the same", async () => {
    await open("2.25.78");
    await page.fill(promptBox, "liver");
    await expect.poll(panelText, patience).toMatch(/No installed model/);
    const card = await answerTo(page, "liver");
    expect(card.state).toBe("failed");
    expect(card.text).toMatch(/No installed model reads US images/);
    await whole.picture("unsupported", page);
    expect(await segs({ studyInstanceUid: "2.25.78", seriesInstanceUid: "" })).toBe(0);
  });

  test("colours in a modality that is read: refused in words, nothing is stored, and the next series is answered", async () => {
    await open("2.25.79");
    const card = await answerTo(page, "bone");
    expect(card.state).toBe("failed");
    expect(card.text).toMatch(/colour image/);
    expect(card.text).not.toMatch(/Resample/);
    await whole.picture("coloured", page);
    expect(await segs({ studyInstanceUid: "2.25.79", seriesInstanceUid: "" })).toBe(0);
    await open(second.series.studyInstanceUid, 3);
    expect(await answerTo(page, "bone, air")).toMatchObject({ state: "succeeded", overlay: "shown" });
  });

  test("a viewport without a series: said so, and nothing can be asked until another is chosen", async () => {
    const segment = page.locator("[data-cy=parse3d-segment]");
    await page.fill(promptBox, "bone");
    await runCommand(page, "setViewportGridLayout", { numRows: 1, numCols: 2 });
    await chooseViewport(page, 1);
    await expect.poll(panelText, patience).toMatch(/No series in the active viewport/);
    expect(await segment.isDisabled()).toBe(true);
    await chooseViewport(page, 0);
    await expect.poll(() => segment.isDisabled(), patience).toBe(false);
    await runCommand(page, "setViewportGridLayout", { numRows: 1, numCols: 1 });
  });

  test("the archive loses the series while it is fetched: named, nothing is stored, and the next series is answered", async () => {
    const lost = block(13);
    await whole.service.load(lost.instances);
    await open(lost.series.studyInstanceUid);
    gate.cut("fetching", 1000);
    const before = gate.retrieved;
    await ask(page, "bone");
    await expect.poll(() => gate.retrieved, patience).toBeGreaterThan(before);
    await removeSeries(lost.series);
    gate.cut("fetching", 0);
    const card = await newestCard(page, ({ state }) => state === "failed" || state === "succeeded");
    expect(card.state, card.text).toBe("failed");
    expect(card.text).toMatch(/archive|series/);
    expect(await segs(lost.series)).toBe(0);
    await whole.picture("lost-series", page);
    await open(first.series.studyInstanceUid, 3);
    expect(await answerTo(page, "bone, air")).toMatchObject({ state: "succeeded", overlay: "shown" });
  });

  async function removeSeries({ seriesInstanceUid }: SeriesRef): Promise<void> {
    const { baseUrl } = whole.service.orthanc;
    const found = await fetch(`${baseUrl}/tools/lookup`, { method: "POST", body: seriesInstanceUid });
    const [{ ID }] = (await found.json()) as [{ readonly ID: string }];
    await fetch(`${baseUrl}/series/${ID}`, { method: "DELETE" });
  }
});
