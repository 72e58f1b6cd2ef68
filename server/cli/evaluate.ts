import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import {
  casesCsv,
  type EvaluationCaseError,
  estimateInWords,
  evaluate,
  type Row,
  readCaseList,
  reportPage,
  type Summary,
  shareInWords,
  summarise,
  summaryCsv,
  worstPictures,
} from "#server/evaluation/index.ts";
import { version } from "../app.ts";
import { makeOutputFolder, readInput, writeOutput } from "../files.ts";
import { type CommandContext, runCommand } from "./command.ts";
import { openCommandPorts } from "./command-ports.ts";
import { exitCodes } from "./exit-code.ts";
import { wholeNumber } from "./whole-number.ts";

interface Options {
  readonly pairs: string;
  readonly output?: string;
  readonly tolerance: number;
  readonly pictures: number;
  readonly json?: boolean;
}

export function addEvaluateCommand(program: Command): void {
  program
    .command("evaluate")
    .summary("how well a model agrees with labels: Dice, surface Dice, HD95, volumes, presence")
    .description(
      "Asks models about the images of a list, or takes segmentations that are there, and compares them with reference labels. The results name cases by their place in the list.",
    )
    .requiredOption("--pairs <file>", "a JSON file with the cases (docs/evaluation.md)")
    .option("-o, --output <folder>", "write cases.csv, summary.csv and report.html there")
    .option("--tolerance <mm>", "how far apart surfaces may lie for the surface Dice", millimetres, 1)
    .option("--pictures <n>", "pictures in the report, those of the lowest Dice", wholeNumber, 24)
    .option("--json", "print one JSON document")
    .action((options: Options) => runCommand(options.json === true, (context) => runEvaluation(options, context)));
}

async function runEvaluation(options: Options, { terminal, signal }: CommandContext): Promise<void> {
  const { pairs, output, tolerance: toleranceMm } = options;
  const cases = readCaseList(new TextDecoder().decode(await readInput(pairs)));
  if (output !== undefined) await makeOutputFolder(output);
  const worst = worstPictures(output === undefined ? 0 : options.pictures);
  const measured: Row[] = [];
  const failures: EvaluationCaseError[] = [];
  await using ports = await openCommandPorts();
  using watch = terminal.watch(signal);
  const progress = (number: number, fraction: number) =>
    watch.progress("infer", (number - 1 + fraction) / cases.length, `case ${number} of ${cases.length}`);
  for await (const compared of evaluate(cases, {
    models: ports.models,
    listPath: pairs,
    toleranceMm,
    signal,
    failed: (error) => {
      failures.push(error);
      worst.leaveOut(error.number);
      if (cases.length > 1) terminal.say(error.message);
    },
    progress,
  })) {
    measured.push(compared.row);
    worst.add(compared);
    progress(compared.row.case, 1);
  }
  // Of a case that broke off half its targets would be in the means.
  const rows = measured.filter((row) => !failures.some(({ number }) => number === row.case));
  if (rows.length === 0 && failures[0]) throw failures[0];
  const summaries = summarise(rows);
  if (output !== undefined) {
    const { pictures, left: picturesLeft } = worst;
    const files = {
      "cases.csv": casesCsv(rows, failures, toleranceMm),
      "summary.csv": summaryCsv(summaries, toleranceMm),
      "report.html": reportPage({ version, toleranceMm, rows, failures, summaries, pictures, picturesLeft }),
    };
    for (const [name, text] of Object.entries(files)) {
      await writeOutput(join(output, name), new TextEncoder().encode(text));
    }
  }
  const failed = failures.map(({ number, code, message }) => ({ case: number, code, detail: message }));
  terminal.answer(
    { cases: cases.length, toleranceMm, summaries, rows, failed, ...(output !== undefined && { output }) },
    [
      ...summaries.map((one) => describe(one, toleranceMm)),
      ...(failures.length === 0
        ? []
        : [
            `${failures.length} of ${cases.length} cases could not be compared, and these figures leave them out: ${failures.map(({ number }) => number).join(", ")}`,
          ]),
      ...(output === undefined ? [] : [`written to ${output}: cases.csv, summary.csv, report.html`]),
      "Research use only.",
    ],
  );
  if (failures.length > 0) process.exitCode = exitCodes.refused;
}

function describe(one: Summary, toleranceMm: number): string {
  const { target, model, cases, presence, infiniteHd95 } = one;
  return [
    `${target}${model ? ` (${model})` : ""}, ${cases} ${cases === 1 ? "case" : "cases"}: Dice ${estimateInWords(one.dice, 3)}`,
    `surface Dice at ${toleranceMm} mm ${estimateInWords(one.surfaceDice, 3)}`,
    `HD95 ${estimateInWords(one.hd95Mm, 2)} mm${infiniteHd95 > 0 ? `, infinite in ${infiniteHd95}` : ""}`,
    `volume error ${estimateInWords(one.volumeErrorMl, 2)} mL, ${estimateInWords(one.volumeErrorPercent, 1)} %`,
    `presence: precision ${shareInWords(presence.precision)}, recall ${shareInWords(presence.recall)}`,
  ].join("; ");
}

function millimetres(text: string): number {
  if (!/^\d{1,4}(\.\d{1,6})?$/.test(text)) throw new InvalidArgumentError("It is a number of mm, 0 or more.");
  return Number(text);
}
