import { setMaxListeners } from "node:events";
import { SingleBar } from "cli-progress";
import type { Command } from "commander";
import { openCohortFolder, PARQUET_TABLE, readPlan, runCohort, TABLE } from "#server/cohort/index.ts";
import { InvalidRequestError } from "#server/domain/index.ts";
import { version } from "../app.ts";
import { makeOutputFolder, readInput } from "../files.ts";
import { runCommand } from "./command.ts";
import { openCommandPorts } from "./command-ports.ts";
import { exitCodes } from "./exit-code.ts";
import { wholeNumber } from "./whole-number.ts";

interface Options {
  readonly output: string;
  readonly limit?: number;
  readonly concurrency: number;
  readonly parquet?: boolean;
  readonly json?: boolean;
}

export function addCohortCommand(program: Command): void {
  const cohort = program.command("cohort").summary("one question about many series");

  cohort
    .command("run")
    .description(
      "Asks the plan's prompts of all its series, and writes one table. Stopped and run again, it goes on where it was: what is done is not done again.",
    )
    .argument("<plan>", "a YAML file: series or query, prompts, model, outputs (docs/jobs.md)")
    .requiredOption("-o, --output <folder>", "where the table, masks and the state of the work lie")
    .option("--limit <n>", "work on so many series at most, this time", wholeNumber)
    .option("--concurrency <n>", "series at the same time", wholeNumber, 1)
    .option("--parquet", "write the table as Parquet as well")
    .option("--json", "print one JSON document")
    .action((file: string, { output, limit, concurrency, parquet, json }: Options) =>
      runCommand(json === true, async ({ terminal, signal }) => {
        if (concurrency < 1) throw new InvalidRequestError("--concurrency is 1 or more.");
        const plan = readPlan(new TextDecoder().decode(await readInput(file)));
        await makeOutputFolder(output);
        const folder = await openCohortFolder(output, plan.question);
        await using ports = await openCommandPorts();
        const visible = !terminal.json && process.stderr.isTTY === true;
        const bar = visible
          ? new SingleBar({ format: "[{bar}] {value}/{total} series, {failed} failed", hideCursor: true, barsize: 30 })
          : undefined;
        setMaxListeners(0, signal);
        bar?.start(1, 0, { failed: 0 });
        try {
          const summary = await runCohort({ ports, archive: ports.archive, folder, version }, plan, {
            signal,
            concurrency,
            ...(limit !== undefined && { limit }),
            ...(parquet !== undefined && { parquet }),
            onProgress: (done, failed, total) => {
              bar?.setTotal(total);
              bar?.update(done + failed, { failed });
            },
          });
          const { total, done, failed, left } = summary;
          const tables = [TABLE, ...(parquet ? [PARQUET_TABLE] : [])].map((name) => `${output}/${name}`);
          terminal.answer({ ...summary, table: tables[0], ...(parquet && { parquet: tables[1] }) }, [
            `${done} of ${total} series done, ${failed} failed, ${left} left; table: ${tables.join(", ")}`,
            ...(total === 0 ? ["No series in the archive fits the plan's query."] : []),
            "Research use only.",
          ]);
          if (failed > 0 || total === 0) process.exitCode = total === 0 ? exitCodes.notFound : exitCodes.refused;
        } finally {
          bar?.stop();
        }
      }),
    );
}
