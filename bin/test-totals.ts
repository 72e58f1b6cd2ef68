/** Prints what the last test run counted, as one line; exit code 1 where a test failed, none ran, or there is no report. */
import { closingLine, readTestTotals, succeeded } from "./test-report.ts";

try {
  const totals = readTestTotals();
  process.stdout.write(`${closingLine(totals)}\n`);
  process.exitCode = succeeded(totals) ? 0 : 1;
} catch (error) {
  process.stderr.write(`parse3d: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
