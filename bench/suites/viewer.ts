import { readdir } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { SeriesRef } from "#server/domain/index.ts";
import { newestCard, promptBox } from "../../test/e2e/panel.ts";
import { openWholeViewer, type WholeViewer } from "../../test/e2e/whole-viewer.ts";
import { syntheticCt } from "../../test/fixtures/synthetic-ct.ts";
import { compare, type Report, type Suite } from "../figure.ts";

const SLICES = 80;
const SIDE = 512;
const RUNS = 7;
/** Deep in the ball, mm in LPS. */
const INSIDE = [0.35 * SIDE, 0.35 * SIDE, (1.25 * SLICES) / 2] as const;
/** As coloured is a pixel that is no image's. */
const COLOURED = 15;

export const programs: Suite["programs"] = {
  Chromium: ["/usr/bin/chromium", "--version"],
  Orthanc: ["/usr/sbin/Orthanc", "--version"],
};

/** What is used of OHIF's window here. */
interface Window {
  readonly document: { querySelector(selector: string): { click(): void } | null };
  readonly services: {
    readonly viewportGridService: { getState(): { readonly activeViewportId: string } };
    readonly cornerstoneViewportService: {
      getCornerstoneViewport(id: string): {
        jumpToWorld?(point: readonly number[]): unknown;
        setViewReference?(reference: { readonly cameraFocalPoint: readonly number[] }): void;
        render(): void;
        worldToCanvas(point: readonly number[]): readonly number[];
        readonly element: {
          addEventListener(event: string, listener: () => void): void;
          removeEventListener(event: string, listener: () => void): void;
        };
        getCanvas(): {
          getContext(kind: "2d"): {
            getImageData(x: number, y: number, width: number, height: number): { readonly data: ArrayLike<number> };
          };
        };
      };
    };
  };
  requestAnimationFrame(callback: () => void): void;
}

/**
 * What OHIF's user waits for beside the server's work, on an Orthanc, a server and a browser of our own: from the SEG in the
 * archive to its colour on the screen, of one object and of two that fill the whole image, and from the first finished slice to
 * its colour. Each run asks about another series. The browser draws by software: a frame of images takes it 0.03 s, one with a mask
 * 0.08 to 0.13 s, with outlines up to 0.65 s.
 */
export async function run(report: Report): Promise<void> {
  const stored: number[] = [];
  const storedWhole: number[] = [];
  const previews: number[] = [];
  const server: number[] = [];
  const ct = (n: number) => syntheticCt(SLICES, SIDE, `bench viewer ${n}`);
  await using whole = await openWholeViewer(ct(0).instances());
  await letBrowserGoFirst(whole);
  const open = async (n: number, preview: boolean) => {
    const { series, instances } = ct(n);
    await whole.service.load(instances());
    await choosePreviews(whole, preview);
    await whole.openStudy(series.studyInstanceUid);
    // Whoever asks has looked first: OHIF has its other images by then.
    await whole.browser.page.waitForLoadState("networkidle", { timeout: 30_000 }).catch(() => {});
    return series;
  };
  // The first run warms what is cached; it is not counted.
  for (let n = 0; n <= RUNS; n++) {
    report.note(n === 0 ? "Warming up ..." : `Run ${n} of ${RUNS} ...`);
    await open(2 * n + 1, false);
    const one = await ask(whole, "bone");
    await whole.browser.page.locator("[data-cy=parse3d-hide]").first().click();
    const two = await ask(whole, "bone, air");
    // Another series: what was answered is shown by itself when its study is opened.
    const previewed = await open(2 * n + 2, true);
    const [begun, preview] = await Promise.all([firstSlice(whole, previewed), ask(whole, "bone")]);
    if (n === 0) continue;
    server.push((begun - preview.clickedAt) / 1000);
    previews.push(preview.colouredAt - begun);
    stored.push(await secondsFromEnd(whole, one));
    storedWhole.push(await secondsFromEnd(whole, two));
  }
  const what = `${SLICES} slices of ${SIDE}x${SIDE}`;
  report.figure(compare(`SEG stored to mask visible, one object, ${what}`, "s", stored));
  report.figure(compare(`SEG stored to mask visible, every voxel in a mask, ${what}`, "s", storedWhole));
  report.figure(compare(`first slice finished to its preview visible, ${what}`, "ms", previews));
  report.figure(compare(`click to first slice finished (the server), ${what}`, "s", server));
}

/**
 * Server and archive have machines of their own where they are used; here they get of the cores what the browser leaves. What
 * they start later is as they are.
 */
async function letBrowserGoFirst({ service: { orthanc } }: WholeViewer): Promise<void> {
  for (const pid of [process.pid, orthanc.pid])
    for (const thread of await readdir(`/proc/${pid}/task`))
      setPriority(Number(thread), constants.priority.PRIORITY_LOW);
}

/** Of an answer: from the end of its job, when the SEG stands in the archive, to its colour. */
async function secondsFromEnd(whole: WholeViewer, { jobId, colouredAt }: Awaited<ReturnType<typeof ask>>) {
  const { finishedAt = "" } = await whole.jobOf(jobId);
  return (colouredAt - Date.parse(finishedAt)) / 1000;
}

/** The next page that is opened draws slices as they are finished, or only what is stored. */
async function choosePreviews({ browser: { page } }: WholeViewer, preview: boolean): Promise<void> {
  await page.unroute("**/app-config.js");
  await page.route("**/app-config.js", async (route) => {
    const config = await (await route.fetch()).text();
    await route.fulfill({
      contentType: "text/javascript",
      body: config.replace('"serverUrl":', `"preview": ${preview}, "serverUrl":`),
    });
  });
}

/** Asks about the series in view, with the object in view, and waits for its colour and for the answer. */
async function ask(whole: WholeViewer, prompts: string) {
  const { page } = whole.browser;
  await page.evaluate((at) => {
    const { cornerstoneViewportService, viewportGridService } = (globalThis as unknown as Window).services;
    const { activeViewportId } = viewportGridService.getState();
    const viewport = cornerstoneViewportService.getCornerstoneViewport(activeViewportId);
    if (viewport.jumpToWorld) viewport.jumpToWorld(at);
    else viewport.setViewReference?.({ cameraFocalPoint: at });
    viewport.render();
  }, INSIDE);
  await page.fill(promptBox, prompts);
  await page.keyboard.press("Escape");
  const times = await page.evaluate(
    ([at, least]) => {
      const { services, document, requestAnimationFrame } = globalThis as unknown as Window;
      const { activeViewportId } = services.viewportGridService.getState();
      const viewport = services.cornerstoneViewportService.getCornerstoneViewport(activeViewportId);
      const isColoured = () => {
        const [x = 0, y = 0] = viewport.worldToCanvas(at).map(Math.round);
        const { data } = viewport.getCanvas().getContext("2d").getImageData(x, y, 1, 1);
        const channels = [data[0] ?? 0, data[1] ?? 0, data[2] ?? 0];
        return Math.max(...channels) - Math.min(...channels) > least;
      };
      if (isColoured()) throw new Error("it is coloured already");
      const rendered = "CORNERSTONE_IMAGE_RENDERED";
      return new Promise<{ readonly clickedAt: number; readonly colouredAt: number }>((resolve) => {
        const clickedAt = Date.now();
        document.querySelector("[data-cy=parse3d-segment]")?.click();
        // When what was drawn is on the screen: reading a pixel back at every frame would be work that nobody else asks for.
        const look = () =>
          requestAnimationFrame(() => {
            if (!isColoured()) return;
            viewport.element.removeEventListener(rendered, look);
            resolve({ clickedAt, colouredAt: Date.now() });
          });
        viewport.element.addEventListener(rendered, look);
      });
    },
    [INSIDE, COLOURED] as const,
  );
  const card = await newestCard(page, ({ state, overlay }) => state === "failed" || overlay === "shown");
  if (card.state === "failed") throw new Error(card.text);
  return { ...times, jobId: card.id };
}

/** When the server told the first slice of the series' next job, ms: watched while it runs, for previews are not kept. */
async function firstSlice({ service: { api } }: WholeViewer, { studyInstanceUid }: SeriesRef): Promise<number> {
  for (;;) {
    const { jobs } = await api.call("listJobs", { query: { studyInstanceUid } });
    for (const { id } of jobs) {
      for await (const event of api.events(id)) if (event.type === "preview") return Date.parse(event.at);
      throw new Error("no slice was told");
    }
    await delay(20);
  }
}
