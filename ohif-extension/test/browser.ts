import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

export type { Page };

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** A Chromium of this machine; undefined where there is none. */
export const browserPath = places.find((path) => existsSync(path));

/** Without sandbox and GPU, so that it runs in containers; WebGL comes from SwiftShader. */
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface TestBrowser extends AsyncDisposable {
  readonly page: Page;
  /** Uncaught errors of the page, and answers of 500 and above. */
  readonly complaints: readonly string[];
}

export async function openBrowser(): Promise<TestBrowser> {
  const browser: Browser = await chromium.launch({ executablePath: browserPath ?? "", headless: true, args: flags });
  // A context, which can have more pages.
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("response", (response) => {
    if (response.status() >= 500) complaints.push(`${response.status()} ${new URL(response.url()).pathname}`);
  });
  return { page, complaints, [Symbol.asyncDispose]: () => browser.close() };
}
