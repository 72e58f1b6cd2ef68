import type { Page } from "../../ohif-extension/test/browser.ts";

/** What the panel says of its newest job. */
export interface CardView {
  readonly id: string;
  readonly state: string;
  readonly overlay: string;
  readonly text: string;
}

export const promptBox = "[data-cy=parse3d-prompt]";

/** Writes into the box and presses Enter, as a user does. */
export async function ask(page: Page, line: string): Promise<void> {
  await page.fill(promptBox, line);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Enter");
}

/** What the newest bar and its line said, each as often as it changed: written down in the page, however busy that is. */
export async function watchProgress(
  page: Page,
): Promise<() => Promise<{ readonly bars: readonly number[]; readonly stages: readonly string[] }>> {
  const seen = await page.evaluateHandle(() => {
    interface Shown {
      readonly value?: number;
      readonly textContent: string;
    }
    const { document, MutationObserver } = globalThis as unknown as {
      readonly document: { readonly body: unknown; querySelector(selector: string): Shown | null };
      readonly MutationObserver: new (
        look: () => void,
      ) => {
        observe(where: unknown, what: Readonly<Record<string, boolean>>): void;
      };
    };
    const bars: number[] = [];
    const stages: string[] = [];
    new MutationObserver(() => {
      const value = document.querySelector("progress")?.value;
      if (value !== undefined && value !== bars.at(-1)) bars.push(value);
      const stage = document.querySelector("[data-cy=parse3d-stage]")?.textContent.split(/[ …]/)[0];
      if (stage !== undefined && stage !== stages.at(-1)) stages.push(stage);
    }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    return { bars, stages };
  });
  return () => seen.jsonValue();
}

/** The cards, newest first. */
export async function cards(page: Page): Promise<readonly CardView[]> {
  const found = await page.locator("[data-cy=parse3d-job]").all();
  return Promise.all(
    found.map(async (card) => ({
      id: (await card.getAttribute("data-job")) ?? "",
      state: (await card.getAttribute("data-state")) ?? "",
      overlay: (await card.getAttribute("data-overlay")) ?? "",
      text: await card.innerText(),
    })),
  );
}

/** Asks, and waits until the answer is there and, where something was found, shown. */
export async function answerTo(page: Page, line: string): Promise<CardView> {
  const before = (await cards(page))[0]?.id;
  await ask(page, line);
  const ended = (card: CardView) =>
    card.id !== before &&
    (["failed", "cancelled"].includes(card.state) ||
      ["shown", "failed"].includes(card.overlay) ||
      (card.state === "succeeded" && !card.text.includes("present")));
  return newestCard(page, ended);
}

/** Waits until the newest card is as wanted. */
export async function newestCard(page: Page, wanted: (card: CardView) => boolean): Promise<CardView> {
  for (const deadline = Date.now() + 240_000; Date.now() < deadline; await page.waitForTimeout(100)) {
    const [newest] = await cards(page).catch(() => []);
    if (newest && wanted(newest)) return newest;
  }
  throw new Error(`the newest card is ${JSON.stringify((await cards(page))[0])}`);
}
