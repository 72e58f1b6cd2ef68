import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { z } from "zod";

const root = join(import.meta.dirname, "..");

/** Where `npm test` and `npm run check` leave vitest's JSON report. */
export const reportFile = join(root, ".cache/test-report.json");

const Report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ status: z.string() })),
    }),
  ),
});

export interface TestTotals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Files with skipped tests, relative to the repository, with their number. */
  readonly skippedFiles: readonly { readonly file: string; readonly skipped: number }[];
}

/**
 * What a vitest JSON report counts. A file that failed before its first test counts as one failure.
 * @throws where there is no report or it is not one of vitest's
 */
export function readTestTotals(file = reportFile): TestTotals {
  if (!existsSync(file)) throw new Error(`no test report: vitest ended before it could write ${relative(root, file)}`);
  const { testResults } = Report.parse(JSON.parse(readFileSync(file, "utf8")));
  const files = testResults.map(({ name, status, assertionResults }) => {
    const count = (...states: string[]) => assertionResults.filter((test) => states.includes(test.status)).length;
    const failed = count("failed");
    return {
      file: relative(root, name),
      passed: count("passed"),
      failed: failed === 0 && status === "failed" ? 1 : failed,
      skipped: count("skipped", "pending", "todo", "disabled"),
    };
  });
  const sum = (key: "passed" | "failed" | "skipped") => files.reduce((total, item) => total + item[key], 0);
  return {
    passed: sum("passed"),
    failed: sum("failed"),
    skipped: sum("skipped"),
    skippedFiles: files.filter(({ skipped }) => skipped > 0).map(({ file, skipped }) => ({ file, skipped })),
  };
}

/** "12 passed, 0 failed, 3 skipped" */
export function closingLine({ passed, failed, skipped }: TestTotals): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** A run in which nothing ran has not succeeded. */
export function succeeded({ passed, failed }: TestTotals): boolean {
  return failed === 0 && passed > 0;
}
