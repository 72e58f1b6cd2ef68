import type { Command } from "commander";
import { InvalidRequestError, promptsFrom, segmentImage, segmentSeries } from "#server/domain/index.ts";
import { studyOf } from "../app.ts";
import { readInput, writeOutput } from "../files.ts";
import { type CommandContext, runCommand } from "./command.ts";
import { openCommandPorts } from "./command-ports.ts";
import { describeFinding } from "./describe-finding.ts";
import { isGzipName, niftiName } from "./nifti-name.ts";
import { wholeNumber } from "./whole-number.ts";

interface Options {
  readonly series?: string;
  readonly study?: string;
  readonly prompt: readonly string[];
  readonly model?: string;
  readonly merge?: "exclusive" | "overlapping";
  readonly modality: string;
  readonly output?: string;
  readonly probabilities?: boolean;
  readonly volume?: number;
  readonly json?: boolean;
}

export function addSegmentCommand(program: Command): void {
  program
    .command("segment")
    .summary("find things by name in a series of the archive, or in a NIfTI file")
    .description(
      "Finds what the prompts name. With --series, the masks are stored as a DICOM SEG beside the scan; with a NIfTI file, they are written to --output.",
    )
    .argument("[file]", "a NIfTI file (.nii, .nii.gz)")
    .option("--series <uid>", "SeriesInstanceUID of a series in the archive")
    .option("--study <uid>", "its StudyInstanceUID (looked up where left out)")
    .requiredOption("-p, --prompt <text...>", "what to look for, each in its own quotes")
    .option("-m, --model <name>", "the model to ask (see `parse3d models`)")
    .option("--merge <mode>", "exclusive: one thing a voxel; overlapping: each prompt by itself")
    .option("--modality <modality>", "what the NIfTI file shows: CT, MR, ...", "MR")
    .option("-o, --output <file>", "the NIfTI file to write: .nii, or .nii.gz (compressed)", niftiName)
    .option("--probabilities", "write probabilities (0 to 1, one volume a prompt) instead of labels")
    .option("--volume <n>", "which volume of a NIfTI file that holds several, counted from 0", wholeNumber)
    .option("--json", "print one JSON document")
    .action((file: string | undefined, options: Options) =>
      runCommand(options.json === true, (context) => {
        if (options.merge && !["exclusive", "overlapping"].includes(options.merge)) {
          throw new InvalidRequestError("--merge is exclusive or overlapping.");
        }
        if (file && !options.series) return segmentFile(file, options, context);
        if (options.series && !file) return segmentArchived(options.series, options, context);
        throw new InvalidRequestError("Give either a NIfTI file or --series UID.");
      }),
    );
}

async function segmentArchived(seriesInstanceUid: string, options: Options, { terminal, signal }: CommandContext) {
  if (options.output || options.probabilities || options.volume !== undefined) {
    throw new InvalidRequestError(
      "With --series the result goes to the archive: -o, --probabilities and --volume belong to a NIfTI file.",
    );
  }
  await using ports = await openCommandPorts();
  const studyInstanceUid = options.study ?? (await studyOf(ports.archive, seriesInstanceUid, { signal }));
  const prompts = promptsFrom(options.prompt.map((text) => ({ text })));
  using watch = terminal.watch(signal);
  const result = await segmentSeries(
    ports,
    {
      series: { studyInstanceUid, seriesInstanceUid },
      prompts,
      ...(options.model && { model: options.model }),
      ...(options.merge && { merge: options.merge }),
    },
    watch,
  );
  terminal.answer(result, [
    ...result.findings.map(describeFinding),
    ...result.notes,
    ...(result.seg ? [`stored as series ${result.seg.seriesInstanceUid}`] : []),
    `${result.model.title}, version ${result.model.version}. Research use only.`,
  ]);
}

async function segmentFile(file: string, options: Options, { terminal, signal }: CommandContext) {
  const { output } = options;
  if (!output) throw new InvalidRequestError("Say where the result goes: -o mask.nii.gz");
  const prompts = promptsFrom(options.prompt.map((text) => ({ text })));
  const nifti = await readInput(file);
  await using ports = await openCommandPorts();
  using watch = terminal.watch(signal);
  const result = await segmentImage(
    ports,
    {
      nifti,
      prompts,
      modality: options.modality.toUpperCase(),
      output: options.probabilities ? "probabilities" : "labels",
      gzip: isGzipName(output),
      ...(options.model && { model: options.model }),
      ...(options.merge && { merge: options.merge }),
      ...(options.volume !== undefined && { volumeIndex: options.volume }),
    },
    watch,
  );
  await writeOutput(output, result.nifti);
  const { nifti: _written, ...document } = result;
  terminal.answer({ ...document, output }, [
    ...result.findings.map(describeFinding),
    ...result.notes,
    `written to ${output}`,
    `${result.model.title}, version ${result.model.version}. Research use only.`,
  ]);
}
