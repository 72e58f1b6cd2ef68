import type { Command } from "commander";
import type { BackfillView } from "#server/contract/index.ts";
import { InvalidRequestError } from "#server/domain/index.ts";
import { runCommand } from "./command.ts";
import { describeMinutes } from "./machine-minutes.ts";
import { findServer } from "./running-server.ts";
import { wholeNumber } from "./whole-number.ts";

interface BackfillOptions {
  readonly since: number;
  readonly limit: number;
  readonly perHour: number;
  readonly queue?: boolean;
  readonly stop?: boolean;
  readonly json?: boolean;
}

export function addBackfillCommand(rules: Command): void {
  rules
    .command("backfill")
    .description(
      "Asks a rule of what the archive holds already, as batch jobs. Without --queue it only shows what would be asked about.",
    )
    .argument("<id>", "the rule")
    .option("--since <days>", "studies of the last so many days, like 30d", days, 30)
    .option("--limit <n>", "ask about so many series, at most", wholeNumber, 100)
    .option("--per-hour <n>", "queue so many jobs in an hour, at most", wholeNumber, 60)
    .option("--queue", "do it, after you have seen what it is")
    .option("--stop", "forget what the rule was still to be asked of; jobs that are queued stay")
    .option("--json", "print one JSON document")
    .action((id: string, { since, limit, perHour, queue, stop, json }: BackfillOptions) =>
      runCommand(json === true, async ({ terminal, signal }) => {
        const server = findServer({ signal });
        if (stop && queue) throw new InvalidRequestError("--stop and --queue contradict one another.");
        if (stop) {
          const stopped = await server.call("stopBackfill", { params: { id } });
          terminal.answer(stopped, [`forgotten: ${stopped.removed}`]);
          return;
        }
        const body = { sinceDays: since, limit, perHour, queue: queue === true };
        const plan = await server.call("backfillRule", { params: { id }, body });
        terminal.answer(plan, describe(plan));
      }),
    );
}

/** An option's number of days, like 30 or 30d. */
export function days(text: string): number {
  return wholeNumber(text.replace(/d$/, ""));
}

const outcomes: Readonly<Record<BackfillView["series"][number]["outcome"], string>> = {
  matched: "to be asked about",
  "asked-before": "asked about before",
  waiting: "waits already",
  arriving: "not complete yet: it is asked about when it is",
  unmatched: "not for this rule",
  never: "never",
};

function describe({ series, seriesTested, complete, matched, queued, waiting, hours, ...plan }: BackfillView) {
  return [
    ...series.flatMap(({ seriesInstanceUid, modality, seriesDescription, sliceCount, outcome, because }) => [
      `${seriesInstanceUid}  ${modality}  ${sliceCount} slices  ${seriesDescription ?? ""}`.trimEnd(),
      `    ${[outcomes[outcome], ...(because.length > 0 ? [because.join("; ")] : [])].join(": ")}`,
    ]),
    `${seriesTested} series looked at${complete ? "" : " (there are more: run it again, or raise --limit)"}`,
    queued
      ? `${matched} added: ${waiting} wait, for ${hours} h at least`
      : `${matched} would be added, for ${hours} h at least`,
    ...describeMinutes(plan),
    ...(queued || matched === 0 ? [] : ["Nothing was queued: give --queue to do it."]),
  ];
}
