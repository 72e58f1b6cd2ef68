import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browserPath, type Page } from "../../ohif-extension/test/browser.ts";
import { paths, viewerSettings } from "../../ohif-extension/viewer/app-config.ts";
import { answerTo, cards, promptBox } from "../e2e/panel.ts";
import { expectObjectsVoxels } from "../e2e/planes.ts";
import { imagesShown } from "../e2e/viewer-page.ts";
import { openWholeViewer, type WholeViewer } from "../e2e/whole-viewer.ts";
import { even, placedSeries } from "../fixtures/placed-series.ts";

if (!browserPath) console.warn("NO BROWSER: the bundle for descriptors is not tested. apt-get install chromium");

const name = "@parse3d/ohif-extension";
/** As OHIF's pull request 6168 has them in app-config.js. */
const descriptor = { packageName: name, importPath: `${paths.plugins}/index.umd.js`, globalName: name };

const block = placedSeries(
  { name: "block", row: [1, 0, 0], column: [0, 1, 0], spacing: [1, 1.2], heights: even(24, 2) },
  41,
);

/**
 * What that pull request's loader does with a descriptor, in an OHIF that has none: it shares the viewer's own React by name,
 * imports the file, and takes the global. React is found among the modules of the viewer's bundle.
 */
const descriptorHost = `
window.config = async () => {
  const settings = ${JSON.stringify(viewerSettings)};
  const descriptor = ${JSON.stringify(descriptor)};
  const chunks = globalThis.rspackChunk ?? globalThis.webpackChunk;
  let bundle;
  chunks.push([["parse3d-test"], {}, (require) => { bundle = require; }]);
  const isReact = (code) => code.includes("exports.useSyncExternalStore=") && code.includes("exports.version=");
  globalThis.react = bundle(Object.keys(bundle.m).find((id) => isReact(String(bundle.m[id]))));
  await window.browserImportFunction(descriptor.importPath);
  // Before 3.12 a function's settings have no basename of their own where theirs is null.
  return { ...settings, routerBasename: "/", extensions: [window[descriptor.globalName]] };
};`;

describe.skipIf(!browserPath)("the bundle for OHIF's descriptors of runtime plugins, in a real OHIF", () => {
  let whole: WholeViewer;
  let page: Page;

  beforeAll(async () => {
    whole = await openWholeViewer(block.instances);
    page = whole.browser.page;
  });
  afterAll(() => whole?.[Symbol.asyncDispose]());

  async function configure(body: string): Promise<void> {
    await page.unroute(`**${paths.config}`);
    await page.route(`**${paths.config}`, (route) => route.fulfill({ contentType: "text/javascript", body }));
    await page.goto(whole.viewer.studyUrl(block.series.studyInstanceUid));
  }

  // When this fails, an OHIF reads them: docs/ohif.md can say so, and the next test can use it.
  test("no OHIF that was tested reads a descriptor: it takes it for the extension itself", async () => {
    const said: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    await configure(`window.config = ${JSON.stringify({ ...viewerSettings, extensions: [descriptor] })};`);
    await expect.poll(() => said.join("\n"), { timeout: 120_000 }).toContain("Extension ID not set");
    expect(await page.evaluate((global) => global in globalThis, name)).toBe(false);
  });

  test("loaded as a descriptor is to be, it runs in the viewer's own React: asked, answered and shown", async () => {
    await configure(descriptorHost);
    await page.waitForSelector(promptBox, { timeout: 120_000 });
    await imagesShown(page);
    expect(await page.evaluate((global) => global in globalThis, name)).toBe(true);
    expect(await answerTo(page, "bone")).toMatchObject({ state: "succeeded", overlay: "shown" });
    await expectObjectsVoxels(page, block);
    await page.locator("[data-cy=parse3d-hide]").first().click();
    await expect.poll(async () => (await cards(page))[0]?.overlay).toBe("hidden");
    await whole.picture("umd");
  });
});
