import { setMaxListeners } from "node:events";
import { SingleBar } from "cli-progress";
import type { Command } from "commander";
import { openCohortFolder, readPlan, runCohort, TABLE } from "#server/cohort/index.ts";
import { InvalidRequestError } from "#server/domain/index.ts";
import { version } from "../app.ts";
import { readInput } from "../files.ts";
import { runCommand } from "./command.ts";
import { openCommandPorts } from "./command-ports.ts";
import { wholeNumber } from "./whole-number.ts";

interface Options {
  readonly output: string;
  readonly limit?: number;
  readonly concurrency: number;
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
    .option("--json", "print one JSON document")
    .action((file: string, { output, limit, concurrency, json }: Options) =>
      runCommand(json === true, async ({ terminal, signal }) => {
        if (concurrency < 1) throw new InvalidRequestError("--concurrency is 1 or more.");
        const plan = readPlan(new TextDecoder().decode(await readInput(file)));
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
            onProgress: (done, failed, total) => {
              bar?.setTotal(total);
              bar?.update(done + failed, { failed });
            },
          });
          const { total, done, failed, left } = summary;
          terminal.answer({ ...summary, table: `${output}/${TABLE}` }, [
            `${done} of ${total} series done, ${failed} failed, ${left} left; table: ${output}/${TABLE}`,
            "Research use only.",
          ]);
        } finally {
          bar?.stop();
        }
      }),
    );
}
