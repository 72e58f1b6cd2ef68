import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { JobView } from "#server/contract/index.ts";
import type { SeriesRef } from "#server/domain/index.ts";
import { openBrowser, type Page, type TestBrowser } from "../../ohif-extension/test/browser.ts";
import { startViewer, type Viewer } from "../../ohif-extension/viewer/index.ts";
import { startWholeService, type WholeService } from "../fixtures/whole-service.ts";
import { promptBox } from "./panel.ts";
import { imagesShown } from "./viewer-page.ts";

const cacheFolder = join(import.meta.dirname, "../../.cache/viewer");
const pictures = join(import.meta.dirname, "../../.cache/e2e");

/** A real Orthanc with one series, a real server, a real OHIF, and a real browser that shows its study. */
export interface WholeViewer extends AsyncDisposable {
  readonly service: WholeService;
  readonly series: SeriesRef;
  readonly browser: TestBrowser;
  readonly viewer: Viewer;
  /** Opens a study's page, as a reload does; without one, that of the first series. */
  openStudy(studyInstanceUid?: string): Promise<void>;
  /** Of the first page, or of another one. */
  picture(name: string, page?: Page): Promise<unknown>;
  jobOf(id: string): Promise<JobView>;
}

export async function openWholeViewer(
  instances: Iterable<Uint8Array>,
  environment: Readonly<Record<string, string>> = {},
  through?: (dicomwebUrl: string) => Promise<string>,
): Promise<WholeViewer> {
  await mkdir(pictures, { recursive: true });
  await using opening = new AsyncDisposableStack();
  const service = opening.use(await startWholeService(environment, through));
  const series = await service.load(instances);
  const viewer = opening.use(
    await startViewer({
      port: 0,
      dicomwebUrl: service.orthanc.dicomwebUrl,
      serverUrl: service.url,
      version: process.env.PARSE3D_TEST_OHIF,
      cacheFolder,
      signal: new AbortController().signal,
      say: () => {},
    }),
  );
  const browser = opening.use(await openBrowser());
  // Two cores that others use as well are slow, not wrong.
  browser.page.setDefaultTimeout(180_000);
  const opened = opening.move();
  const whole: WholeViewer = {
    service,
    series,
    browser,
    viewer,
    openStudy: async (studyInstanceUid = series.studyInstanceUid) => {
      await browser.page.goto(viewer.studyUrl(studyInstanceUid));
      await browser.page.waitForSelector(promptBox, { timeout: 120_000 });
      await imagesShown(browser.page);
    },
    // For people to look at: a machine that is too busy to take one has not failed.
    picture: (name, page = browser.page) =>
      page.screenshot({ path: join(pictures, `${name}.png`), timeout: 20_000 }).catch(() => undefined),
    jobOf: (id) => service.api.call("readJob", { params: { id } }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
  await whole.openStudy();
  return whole;
}
