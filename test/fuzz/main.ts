/**
 * npm run fuzz -- [--cases 20000] [--seed 1] [--restart]   damaged files into every reader, in a process of their own
 * npm run fuzz -- --seed 1 --case 4711 [--keep FILE]        one of them here, to be looked at
 *
 * A run that was stopped goes on where it was. Exit code 1: a reader crashed, hung or grew.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { hasSharedData } from "../fixtures/shared-data.ts";
import { attempt, fuzzCase } from "./attempt.ts";
import { corpus } from "./corpus.ts";
import { runCases, type Tally } from "./run.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "20000" },
    seed: { type: "string", default: "1" },
    case: { type: "string" },
    keep: { type: "string" },
    restart: { type: "boolean", default: false },
  },
});
const seed = Number(values.seed);
const cases = Number(values.cases);
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(cases))
  throw new Error("--seed and --cases are whole numbers");

const folder = join(import.meta.dirname, "../../.cache/fuzz");
const stateFile = join(folder, `seed-${seed}.json`);

interface State {
  readonly next: number;
  readonly tallies: readonly Tally[];
}

if (values.case !== undefined) await one(Number(values.case));
else await all();

async function one(n: number): Promise<void> {
  const found = fuzzCase(await corpus(), seed, n);
  if (values.keep !== undefined) writeFileSync(values.keep, found.bytes);
  const begun = process.cpuUsage();
  console.log(`${found.specimen.kind}, ${found.specimen.name}: ${found.bytes.length} bytes`);
  console.log(await attempt(found).catch((error: unknown) => (error instanceof Error ? error.stack : error)));
  console.log(`${process.cpuUsage(begun).user / 1000} ms, ${process.memoryUsage().rss / 2 ** 20} MB`);
}

async function all(): Promise<void> {
  if (!hasSharedData) console.error("The shared test data is not there: only files that are made here are damaged.");
  if (values.restart) rmSync(stateFile, { force: true });
  const { next: from, tallies } = readState();
  if (from > 0) console.error(`Going on with case ${from} of ${cases} (--restart begins again).`);
  mkdirSync(folder, { recursive: true });
  let last = await runCases(
    { seed, from, to: cases },
    {
      onCase(next, tally) {
        if (next % 250 !== 0 && next !== cases) return;
        writeFileSync(stateFile, JSON.stringify({ next, tallies: [...tallies, tally] } satisfies State));
        console.error(`${next} of ${cases}: ${tally.failures.length} failures`);
      },
    },
  );
  for (const earlier of tallies) last = together(earlier, last);
  const { failures, read, refused, slowestMs, largestMegabytes } = last;
  for (const { n, fault, specimen = "", detail } of failures)
    console.log(`--seed ${seed} --case ${n}: ${fault} ${specimen}\n${detail}`);
  console.log(
    `${read} read, ${refused} refused by type, ${failures.length} failures; at most ${slowestMs.toFixed(0)} ms of processor time and ${largestMegabytes.toFixed(0)} MB.`,
  );
  process.exitCode = failures.length > 0 ? 1 : 0;
}

function readState(): State {
  try {
    return JSON.parse(readFileSync(stateFile, "utf8"));
  } catch {
    return { next: 0, tallies: [] };
  }
}

function together(a: Tally, b: Tally): Tally {
  return {
    read: a.read + b.read,
    refused: a.refused + b.refused,
    failures: [...a.failures, ...b.failures],
    slowestMs: Math.max(a.slowestMs, b.slowestMs),
    largestMegabytes: Math.max(a.largestMegabytes, b.largestMegabytes),
  };
}
