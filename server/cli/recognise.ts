import type { Command } from "commander";
import { runCommand } from "./command.ts";
import { addQuestionOptions } from "./question-options.ts";
import {
  MODALITY_HELP,
  noInput,
  PROMPT_HELP,
  type SegmentCommandOptions,
  segmentArchived,
  segmentFile,
} from "./segment.ts";

export function addRecogniseCommand(program: Command): void {
  const command = program
    .command("recognise")
    .summary("say what is in a series of the archive, or in a NIfTI file")
    .description(
      "Asks for everything that the model is recommended for in such an image (by modality and body part), and says what is there, best first. Nothing is stored unless --output says so.",
    )
    .argument("[file]", "a NIfTI file (.nii, .nii.gz)")
    .option("--series <uid>", "SeriesInstanceUID of a series in the archive")
    .option("--study <uid>", "its StudyInstanceUID (looked up where left out)")
    .option("-p, --prompt <text...>", `what else to look for, ${PROMPT_HELP}`)
    .option(
      "-o, --output <what>",
      "of what is there: with --series what is stored, like seg,sr (see `parse3d segment --help`); of a NIfTI file the label map to write, .nii or .nii.gz",
      (what: string, before: readonly string[] = []) => [...before, what],
    )
    .option("--modality <modality>", MODALITY_HELP);
  addQuestionOptions(command)
    .option("--json", "print one JSON document")
    .action((file: string | undefined, options: Omit<SegmentCommandOptions, "recognise">) =>
      runCommand(options.json === true, (context) => {
        const asked = { ...options, recognise: true };
        if (file && !options.series) return segmentFile(file, asked, context);
        if (options.series && !file) return segmentArchived(options.series, asked, context);
        throw noInput(options);
      }),
    );
}
