import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browserPath, type Page } from "../../ohif-extension/test/browser.ts";
import { even, placedSeries } from "../fixtures/placed-series.ts";
import { violations } from "./accessibility.ts";
import { answerTo, ask, cards, newestCard, promptBox } from "./panel.ts";
import { runCommand, sliceInView } from "./viewer-page.ts";
import { openWholeViewer, type WholeViewer } from "./whole-viewer.ts";

if (!browserPath) console.warn("NO BROWSER: the panel's accessibility is not tested. apt-get install chromium");

const patience = { timeout: 60_000, interval: 100 };
const panel = "[data-cy=parse3d-panel]";

const block = placedSeries(
  { name: "block", row: [1, 0, 0], column: [0, 1, 0], spacing: [1, 1.2], heights: even(24, 2) },
  21,
);

/** The element that has the focus, as far as it is looked at here. */
interface Focus {
  readonly activeElement: {
    readonly dataset: Readonly<Record<string, string | undefined>>;
    matches(selector: string): boolean;
    closest(selector: string): unknown;
  } | null;
}

describe.skipIf(!browserPath)("the panel in a real browser, for everybody", () => {
  let whole: WholeViewer;
  let page: Page;

  beforeAll(async () => {
    whole = await openWholeViewer(block.instances);
    page = whole.browser.page;
  });
  afterAll(() => whole?.[Symbol.asyncDispose]());

  const isFocused = (selector: string) =>
    page.evaluate(
      (wanted) => (globalThis as unknown as { document: Focus }).document.activeElement?.matches(wanted) ?? false,
      selector,
    );

  /** Presses Tab until the focus is on an element; tells how often. */
  async function tabTo(selector: string): Promise<number> {
    for (let pressed = 1; pressed < 30; pressed++) {
      await page.keyboard.press("Tab");
      if (await isFocused(selector)) return pressed;
    }
    throw new Error(`Tab does not lead to ${selector}`);
  }

  test("nothing asked, and a list of completions that is open: no fault that axe finds, contrast included", async () => {
    expect(await violations(page, panel)).toEqual([]);
    await page.focus(promptBox);
    await page.keyboard.type("bo");
    await expect.poll(() => page.locator("[role=option]").count(), patience).toBeGreaterThan(0);
    await page.keyboard.press("ArrowDown");
    expect(await violations(page, panel)).toEqual([]);
    await page.fill(promptBox, "");
  });

  test("by keyboard alone: asked, answered and gone to, in the order in which it is seen; a live region tells the answer", async () => {
    const told = () => page.innerText(`${panel} [role=status]`);
    await page.fill(promptBox, "");
    await page.keyboard.type("bone");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
    await newestCard(page, ({ overlay }) => overlay === "shown");
    await expect.poll(told, patience).toMatch(/bone: present, 1\.00/);
    // In the order in which they are seen: the button beside the box, the one below, then the answer's own.
    expect(await tabTo("[data-cy=parse3d-segment]")).toBe(1);
    expect(await tabTo("[data-cy=parse3d-recognise]")).toBe(1);
    expect(await tabTo("[data-cy=parse3d-go]")).toBe(1);
    await runCommand(page, "firstImage", {});
    await expect.poll(() => sliceInView(page), patience).toBe(0);
    await page.keyboard.press("Enter");
    await expect.poll(() => sliceInView(page), patience).toBeGreaterThan(3);
    await runCommand(page, "firstImage", {});
    await expect.poll(() => sliceInView(page), patience).toBe(0);
    await page.keyboard.press("Space");
    await expect.poll(() => sliceInView(page), patience).toBeGreaterThan(3);
  });

  test("by keyboard alone: the answer hidden and shown again, and rejected with a reason", async () => {
    const overlay = async () => (await cards(page))[0]?.overlay;
    await page.focus(promptBox);
    await tabTo("[data-cy=parse3d-hide]");
    await page.keyboard.press("Enter");
    await expect.poll(overlay, patience).toBe("hidden");
    // The focus stays where it is, also while the result is loaded.
    await page.keyboard.press("Enter");
    await expect.poll(overlay, patience).toBe("shown");
    expect(await isFocused("[data-cy=parse3d-hide]")).toBe(true);
    await tabTo("[data-cy=parse3d-review-rejected]");
    await page.keyboard.press("Enter");
    expect(await tabTo("[data-cy=parse3d-reason]")).toBe(1);
    await page.keyboard.type("not this");
    await page.keyboard.press("Enter");
    await expect
      .poll(() => page.locator("[data-cy=parse3d-verdict]").allInnerTexts(), patience)
      .toEqual(["rejected: not this"]);
  });

  test("absent, refused, and a server that is gone: no fault either, and words beside the colours", async () => {
    await answerTo(page, "lung");
    await ask(page, "x".repeat(301));
    await expect.poll(() => page.locator("[data-cy=parse3d-problem]").count(), patience).toBe(1);
    expect(await violations(page, panel)).toEqual([]);
    await page.route("**/parse3d-api/**", (route) => route.abort());
    await ask(page, "air");
    await expect.poll(() => page.innerText(`${panel} [role=status]`), patience).toMatch(/does not answer/);
    expect(await violations(page, panel)).toEqual([]);
    await page.unroute("**/parse3d-api/**");
    await expect.poll(() => page.innerText(`${panel} [role=status]`), patience).toMatch(/answers again/);
  });
});
