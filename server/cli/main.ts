import { readFileSync } from "node:fs";
import { Command } from "commander";
import { exitCodeHelp, exitCodes } from "./exit-code.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  readonly version: string;
};

/** Each command's module is loaded when it is asked for: what a command does not need does not delay it. */
const commands: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  segment: async () => (await import("./segment.ts")).addSegmentCommand,
  recognise: async () => (await import("./recognise.ts")).addRecogniseCommand,
  convert: async () => (await import("./convert.ts")).addConvertCommand,
  import: async () => (await import("./import.ts")).addImportCommand,
  jobs: async () => (await import("./jobs.ts")).addJobsCommand,
  reviews: async () => (await import("./reviews.ts")).addReviewsCommand,
  rules: async () => (await import("./rules.ts")).addRulesCommand,
  evaluate: async () => (await import("./evaluate.ts")).addEvaluateCommand,
  models: async () => (await import("./models.ts")).addModelsCommand,
  serve: async () => (await import("./serve.ts")).addServeCommand,
  cohort: async () => (await import("./cohort.ts")).addCohortCommand,
  replay: async () => (await import("./replay.ts")).addReplayCommand,
  cache: async () => (await import("./cache.ts")).addCacheCommand,
  worker: async () => (await import("./worker.ts")).addWorkerCommand,
  demo: async () => (await import("./demo.ts")).addDemoCommand,
};

const program = new Command("parse3d")
  .description("Text-prompted 3D segmentation of medical images: from a prompt to a DICOM SEG. Research use only.")
  .version(version)
  .addHelpText("after", exitCodeHelp)
  .showHelpAfterError("(parse3d --help shows what there is)")
  .exitOverride((error) => {
    process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage);
  });

const [, , asked = ""] = process.argv;
const named = Object.hasOwn(commands, asked) ? commands[asked] : undefined;
for (const load of named ? [named] : Object.values(commands)) (await load())(program);
for (const command of program.commands) nameHelp(command, `parse3d ${command.name()}`);

/** After an error, the help that tells what would have been right. */
function nameHelp(command: Command, line: string): void {
  command.showHelpAfterError(`(${line} --help shows what there is)`);
  for (const inner of command.commands) nameHelp(inner, `${line} ${inner.name()}`);
}

await program.parseAsync();
