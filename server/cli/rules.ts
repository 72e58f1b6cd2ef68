import type { Command } from "commander";
import { stringify } from "yaml";
import type { RuleTaken, RuleTestView } from "#server/contract/index.ts";
import { parseRulesFile } from "#server/routing/index.ts";
import { readInput } from "../files.ts";
import { runCommand } from "./command.ts";
import { describeMinutes } from "./machine-minutes.ts";
import { addBackfillCommand, days } from "./rules-backfill.ts";
import { findServer } from "./running-server.ts";
import { wholeNumber } from "./whole-number.ts";

interface TestOptions {
  readonly since: number;
  readonly limit: number;
  readonly json?: boolean;
}

export function addRulesCommand(program: Command): void {
  const rules = program.command("rules").summary("what is asked of series as they arrive in the archive");

  rules
    .command("list", { isDefault: true })
    .description("The routing rules of the server, as YAML that `rules add` takes.")
    .option("--json", "print one JSON document")
    .action((options: { readonly json?: boolean }) =>
      runCommand(options.json === true, async ({ terminal, signal }) => {
        const listed = await findServer({ signal }).call("listRules");
        terminal.answer(listed, [listed.rules.length === 0 ? "# no rules" : stringify(listed).trimEnd()]);
      }),
    );

  rules
    .command("add")
    .description("Adds the rules of a YAML file; one with the same id replaces the rule that is there.")
    .argument("<file>", "YAML or JSON (docs/routing.md)")
    .option("--json", "print one JSON document")
    .action((file: string, options: { readonly json?: boolean }) =>
      runCommand(options.json === true, async ({ terminal, signal }) => {
        const wanted = await readRules(file);
        const server = findServer({ signal });
        const taken: RuleTaken[] = [];
        try {
          for (const rule of wanted) taken.push(await server.call("putRule", { body: rule }));
        } catch (error) {
          if (taken.length > 0) terminal.say(`added before that: ${idsOf(taken)}`);
          throw error;
        }
        for (const { id, warnings = [] } of taken) for (const words of warnings) terminal.say(`${id}: ${words}`);
        terminal.answer({ rules: taken }, [`added: ${idsOf(taken)}`]);
      }),
    );

  rules
    .command("remove")
    .description("Removes a rule.")
    .argument("<id>", "the rule")
    .option("--json", "print one JSON document")
    .action((id: string, options: { readonly json?: boolean }) =>
      runCommand(options.json === true, async ({ terminal, signal }) => {
        const removed = await findServer({ signal }).call("removeRule", { params: { id } });
        terminal.answer(removed, [`removed ${id}`]);
      }),
    );

  rules
    .command("test")
    .description("Which series of the archive the rules are for, and why not the others. Nothing is queued.")
    .argument("[file]", "rules to try before they are added; left out: the server's")
    .option("--since <days>", "studies of the last so many days, like 30d", days, 30)
    .option("--limit <n>", "look at so many series, at most", wholeNumber, 1000)
    .option("--json", "print one JSON document")
    .action((file: string | undefined, { since, limit, json }: TestOptions) =>
      runCommand(json === true, async ({ terminal, signal }) => {
        const rulesOfFile = file === undefined ? undefined : await readRules(file);
        const body = {
          sinceDays: since,
          limit,
          ...(rulesOfFile && { rules: rulesOfFile }),
        };
        const outcome = await findServer({ signal }).call("testRules", { body });
        terminal.answer(outcome, describe(outcome));
      }),
    );

  addBackfillCommand(rules);
}

const idsOf = (rules: readonly RuleTaken[]) => rules.map(({ id }) => id).join(", ");

async function readRules(file: string) {
  return parseRulesFile(new TextDecoder().decode(await readInput(file)));
}

function describe({ series, rules, seriesTested, complete, ...times }: RuleTestView): readonly string[] {
  const each = series.flatMap(({ seriesInstanceUid, modality, seriesDescription, sliceCount, ...verdict }) => [
    `${seriesInstanceUid}  ${modality}  ${sliceCount} slices  ${seriesDescription ?? ""}`.trimEnd(),
    ...(verdict.neverBecause === undefined ? [] : [`    never: ${verdict.neverBecause}`]),
    ...verdict.matched.map((id) => `    matches ${id}`),
    ...(verdict.neverBecause === undefined
      ? verdict.unmatched.map(({ id, because }) => `    not ${id}: ${because.join("; ")}`)
      : []),
  ]);
  return [
    ...each,
    `${seriesTested} series looked at${complete ? "" : " (there are more: raise --limit)"}`,
    ...rules.flatMap(({ id, matched, warnings = [] }) => [
      `${id}: ${matched}`,
      ...warnings.map((words) => `    ${words}`),
    ]),
    ...describeMinutes(times),
  ];
}
