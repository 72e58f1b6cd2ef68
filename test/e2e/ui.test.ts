import { PNG } from "pngjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browserPath, openBrowser, type Page, type TestBrowser } from "../../ohif-extension/test/browser.ts";
import { skullJob, startTestServer } from "../fixtures/test-server.ts";
import { violations } from "./accessibility.ts";

if (!browserPath) console.warn("NO BROWSER: the test of /ui is skipped. apt-get install chromium");

const patience = { timeout: 60_000, interval: 100 };
const token = "0123456789abcdef";
const picture = new Uint8Array(PNG.sync.write(new PNG({ width: 30, height: 10 })));

describe.skipIf(!browserPath)("the page at /ui in a real browser", () => {
  let server: Awaited<ReturnType<typeof startTestServer>>;
  let browser: TestBrowser;
  let page: Page;

  beforeAll(async () => {
    server = await startTestServer({
      http: { access: { kind: "tokens", host: "127.0.0.1", tokens: [token] } },
      parts: { tasks: async () => picture as never },
    });
    browser = await openBrowser();
    page = browser.page;
    await page.goto(`${server.url}/ui`);
  });
  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  const submit = (prompts: readonly string[]) =>
    fetch(`${server.url}/v1/jobs`, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ ...skullJob, prompts }),
    });
  const text = () => page.innerText("main");
  const row = () => page.locator("tr[data-job]").first();

  test("asks for the token, tells nothing without it, and then shows models, health and rules", async () => {
    await page.waitForSelector("#token-text");
    expect(await text()).not.toContain("Density rules");
    await page.fill("#token-text", token);
    await page.keyboard.press("Enter");
    await expect.poll(text, patience).toMatch(/Density rules \(density-ct 1\.0\.0\)/);
    await expect.poll(text, patience).toMatch(/Health: Ready/);
    await expect.poll(text, patience).toContain("This server routes nothing.");
    expect(await text()).toContain("Research use only");
  });

  test("shows a job as it runs, cancels it, and shows what another one found, with its picture", async () => {
    server.runner.hold();
    await submit(["<b>skull</b>"]);
    await expect.poll(() => row().locator("progress").count(), patience).toBe(1);
    // Words of prompts are words, never markup.
    expect(await text()).toContain("<b>skull</b>");
    await row().getByText("Cancel").click();
    await expect.poll(() => row().getAttribute("data-state"), patience).toBe("cancelled");

    server.runner.release();
    await submit(["skull", "unicorn"]);
    await expect.poll(() => row().innerText(), patience).toMatch(/skull: present 0\.97, 1\.25 mL, 3 slices/);
    expect(await row().innerText()).toContain("unicorn: not found (0.08)");
    await row().getByText("Picture").click();
    const width = () =>
      page.locator("img").evaluate((image: unknown) => (image as { readonly naturalWidth: number }).naturalWidth);
    await expect.poll(width, patience).toBe(30);
  });

  test("what it shows has no fault that axe finds, contrast included", async () => {
    expect(await violations(page, "body")).toEqual([]);
  });

  test("nothing broke in the page, and its policy held nothing back", () => {
    expect(browser.complaints).toEqual([]);
  });
});
