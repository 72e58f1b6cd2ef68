import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "../../ohif-extension/test/browser.ts";

const axePath = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

interface Outcome {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
  readonly passes: readonly { readonly id: string }[];
}

/** What axe finds wrong in a part of the page as it is drawn, contrast included; throws where contrast could not be looked at. */
export async function violations(page: Page, selector: string): Promise<readonly string[]> {
  await page.evaluate(await readFile(axePath, "utf8"));
  const { violations, passes } = await page.evaluate(async (part): Promise<Outcome> => {
    const { axe } = globalThis as unknown as { readonly axe: { run(part: string): Promise<Outcome> } };
    return axe.run(part);
  }, selector);
  if (!passes.some(({ id }) => id === "color-contrast") && !violations.some(({ id }) => id === "color-contrast")) {
    throw new Error("axe found no text whose contrast it can tell");
  }
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary ?? ""}`),
  );
}
