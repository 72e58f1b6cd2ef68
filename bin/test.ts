/**
 * bin/with-node24 bin/test.ts          system packages, lint, types and all tests
 * bin/with-node24 bin/test.ts --quick  lint, types, unit and property tests: needs no system package
 * bin/with-node24 bin/test.ts FILTER…  only the tests whose file names match; other flags go to vitest
 */
import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensureSystemPackages } from "#server/demo/system-packages.ts";
import { closingLine, readTestTotals, reportFile, succeeded } from "./test-report.ts";

const root = join(import.meta.dirname, "..");
const say = (line: string) => process.stderr.write(`${line}\n`);
const interrupt = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interrupt.abort());

const words = process.argv.slice(2);
const quick = words.includes("--quick");
const forVitest = words.filter((word) => word !== "--quick");
const filtered = forVitest.length > 0;

/** Runs one of the project's tools in the repository's root; true where it succeeded. */
function tool(name: string, ...args: string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(root, "node_modules/.bin", name), args, {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
    });
    const stop = () => child.kill();
    interrupt.signal.addEventListener("abort", stop, { once: true });
    child.once("error", reject).once("exit", (code) => {
      interrupt.signal.removeEventListener("abort", stop);
      resolve(code === 0);
    });
  });
}

async function tests(): Promise<boolean> {
  mkdirSync(dirname(reportFile), { recursive: true });
  rmSync(reportFile, { force: true });
  const projects = quick ? ["--project", "unit", "--project", "property"] : [];
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`];
  return await tool("vitest", "run", ...projects, ...reporters, ...forVitest);
}

const steps: readonly (readonly [name: string, run: () => Promise<boolean>])[] = [
  ...(filtered
    ? []
    : ([
        ["lint", () => tool("biome", "ci", ...(process.stdout.isTTY ? [] : ["--colors=off"]))],
        ["types", () => tool("tsc", "-p", "tsconfig.json")],
        ["viewer", () => tool("tsc", "-p", "ohif-extension")],
      ] as const)),
  ["tests", tests],
];

async function main(): Promise<number> {
  if (!quick && !filtered)
    await ensureSystemPackages(["archive", "demo-studies", "tests"], { say, signal: interrupt.signal });
  const outcomes: { readonly name: string; readonly passed: boolean; readonly seconds: number }[] = [];
  for (const [name, run] of steps) {
    const start = performance.now();
    const passed = await run();
    interrupt.signal.throwIfAborted();
    outcomes.push({ name, passed, seconds: (performance.now() - start) / 1000 });
  }
  for (const { name, passed, seconds } of outcomes)
    say(`${name.padEnd(6)} ${passed ? "passed" : "FAILED"}  ${seconds.toFixed(1)} s`);
  const totals = readTestTotals();
  if (totals.skipped > 0) {
    say("Skipped:");
    for (const { file, skipped } of totals.skippedFiles) say(`  ${String(skipped).padStart(4)}  ${file}`);
  }
  if (quick) say("Golden, conformance and integration tests were not run: npm test runs them.");
  process.stdout.write(`${closingLine(totals)}\n`);
  return outcomes.every(({ passed }) => passed) && succeeded(totals) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  say(
    interrupt.signal.aborted
      ? "parse3d: interrupted"
      : `parse3d: ${error instanceof Error ? error.message : String(error)}`,
  );
  process.exitCode = interrupt.signal.aborted ? 130 : 1;
}
