/**
 * `npm run test:ohif -- [VERSION...]`: the viewer's tests, those that take long among them, on every OHIF that Parse3D is
 * tested with, or on those that are named. Ends with a line for each.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { closingLine, readTestTotals, succeeded } from "../../bin/test-report.ts";
import { ohifRelease, testedReleases } from "../../ohif-extension/viewer/ohif-release.ts";

const root = join(import.meta.dirname, "../..");
const cache = join(root, ".cache");

const asked = process.argv.slice(2);
const releases = asked.length > 0 ? asked.map((version) => ohifRelease(version)) : testedReleases;

/** The newest release that npm has and nobody has pinned here yet, if there is one. */
async function unpinned(): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)("npm", ["view", "@ohif/app", "versions", "--json"]);
  const versions = JSON.parse(stdout) as readonly string[];
  const [newest] = [...versions].sort((a, b) => b.localeCompare(a, undefined, { numeric: true }));
  return testedReleases.some(({ version }) => version === newest) ? undefined : newest;
}

async function run(version: string): Promise<{ readonly passed: boolean; readonly line: string }> {
  const report = join(cache, `ohif-${version}.json`);
  const started = performance.now();
  const child = spawn(
    join(root, "node_modules/.bin/vitest"),
    ["run", "--config", "test/nightly/vitest.config.ts", "--reporter=default", "--reporter=json"].concat(
      `--outputFile.json=${report}`,
    ),
    { cwd: root, stdio: "inherit", env: { ...process.env, PARSE3D_TEST_OHIF: version } },
  );
  await once(child, "exit");
  const totals = readTestTotals(report);
  const minutes = ((performance.now() - started) / 60_000).toFixed(1);
  return { passed: succeeded(totals), line: `OHIF ${version}: ${closingLine(totals)}, ${minutes} min` };
}

await mkdir(cache, { recursive: true });
const outcomes: Awaited<ReturnType<typeof run>>[] = [];
for (const { version } of releases) outcomes.push(await run(version));
const newer = await unpinned().catch(() => undefined);
for (const { line } of outcomes) console.log(line);
if (newer !== undefined) console.log(`npm has OHIF ${newer}: pin it in ohif-extension/viewer/ohif-release.ts.`);
process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1;
