/** Prints what the last test run counted, as one line; exit code 1 where a test failed or none ran. */
import { closingLine, readTestTotals, succeeded } from "./test-report.ts";

const totals = readTestTotals();
process.stdout.write(`${closingLine(totals)}\n`);
process.exitCode = succeeded(totals) ? 0 : 1;
