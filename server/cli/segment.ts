import type { Command } from "commander";
import {
  type Finding,
  InvalidPromptError,
  InvalidRequestError,
  type Output,
  type Prompt,
  promptsFrom,
  type SegmentSeriesResult,
  segmentImage,
  segmentSeries,
} from "#server/domain/index.ts";
import { studyOf } from "../app.ts";
import { refuseSameFile, refuseUnwritable, writeOutput } from "../files.ts";
import { type CommandContext, runCommand } from "./command.ts";
import { openCommandPorts } from "./command-ports.ts";
import { describeComponents, describeFinding } from "./describe-finding.ts";
import { readNiftiInput } from "./nifti-input.ts";
import { isGzipName, isNiftiName } from "./nifti-name.ts";
import { addQuestionOptions, type QuestionOptions, questionOf } from "./question-options.ts";
import type { Terminal } from "./terminal.ts";

/** The flags of `segment`, and of `recognise`, which asks for everything. */
export interface SegmentCommandOptions extends QuestionOptions {
  readonly series?: string;
  readonly study?: string;
  readonly prompt?: readonly string[];
  readonly recognise?: boolean;
  readonly modality?: string;
  readonly output?: readonly string[];
  readonly probabilities?: boolean;
  readonly json?: boolean;
}

export const PROMPT_HELP =
  'in words, several of them each in quotes: -p liver "left kidney"; words that follow are prompts too, so that the file comes before';
export const MODALITY_HELP = "what the NIfTI file shows: CT, MR, ...; left out: MR";

const outputs: readonly Output[] = ["seg", "sr", "rtstruct", "sc", "detections"];

export function addSegmentCommand(program: Command): void {
  const command = program
    .command("segment")
    .summary("find things by name in a series of the archive, or in a NIfTI file")
    .description(
      "Finds what the prompts name. With --series, the results are stored in the archive beside the scan; with a NIfTI file, the masks are written to --output.",
    )
    .argument("[file]", "a NIfTI file (.nii, .nii.gz)")
    .option("--series <uid>", "SeriesInstanceUID of a series in the archive")
    .option("--study <uid>", "its StudyInstanceUID (looked up where left out)")
    .requiredOption("-p, --prompt <text...>", `what to look for, ${PROMPT_HELP}`)
    .option(
      "-o, --output <what>",
      "of a NIfTI file: the NIfTI file to write, .nii or .nii.gz (compressed). With --series what is stored, like seg,sr: seg (left out: this), sr (measurements, and the SEG that they refer to), rtstruct (contours), sc (pictures). With either: detections (findings only)",
      (what: string, before: readonly string[] = []) => [...before, what],
    )
    .option("--probabilities", "write probabilities (0 to 1, one volume a prompt) of a NIfTI file instead of labels")
    .option("--modality <modality>", MODALITY_HELP);
  addQuestionOptions(command)
    .option("--json", "print one JSON document")
    .action((file: string | undefined, options: SegmentCommandOptions) =>
      runCommand(options.json === true, (context) => {
        if (file && !options.series) return segmentFile(file, options, context);
        if (options.series && !file) return segmentArchived(options.series, options, context);
        throw noInput(options);
      }),
    );
}

export async function segmentArchived(
  seriesInstanceUid: string,
  options: SegmentCommandOptions,
  { terminal, signal }: CommandContext,
): Promise<void> {
  if (options.probabilities) {
    throw new InvalidRequestError("With --series, probabilities are stored with --segmentation-type fractional.");
  }
  const wanted = outputsOf(options.output ?? [options.recognise ? "detections" : "seg"]);
  const prompts = promptsOf(options);
  await using ports = await openCommandPorts();
  const studyInstanceUid = options.study ?? (await studyOf(ports.archive, seriesInstanceUid, { signal }));
  using watch = watchOf(options, terminal, signal);
  const { volume, resample, segmentationType, deflated } = options;
  const result = await segmentSeries(
    ports,
    {
      series: { studyInstanceUid, seriesInstanceUid },
      prompts,
      ...questionOf(options),
      ...(options.recognise && { recognise: true }),
      outputs: wanted,
      ...(volume !== undefined && { volume }),
      ...(resample && { resample }),
      ...(deflated && { deflated }),
      ...(segmentationType && { segmentationType }),
    },
    watch,
  );
  terminal.answer(result, [
    ...describeFindings(result.findings, options),
    ...(wanted.includes("detections") && !options.recognise ? result.findings.flatMap(describeComponents) : []),
    ...result.notes,
    ...describeStored(result),
    `${result.model.title}, version ${result.model.version}. Research use only.`,
  ]);
}

/** Neither a file nor a series, or both. */
export function noInput({ series, prompt = [] }: SegmentCommandOptions): InvalidRequestError {
  return new InvalidRequestError(
    series === undefined && prompt.some(isPath)
      ? "The file was read as one more prompt: name it before --prompt, or put another option between them."
      : "Give either a NIfTI file or --series UID.",
  );
}

/** What nobody calls a structure. */
function isPath(prompt: string): boolean {
  return isNiftiName(prompt) || /^(~|\.{0,2})\/|\.(dcm|hdr|img|nrrd|mha|png|jpe?g)$/i.test(prompt);
}

/** @throws InvalidRequestError where a prompt is a path, InvalidPromptError */
function promptsOf({ prompt = [], recognise }: SegmentCommandOptions): readonly Prompt[] {
  if (prompt.some(isPath)) {
    throw new InvalidRequestError(
      "A prompt looks like a file: prompts are words, like skull. One file is asked about at a time, and is named before --prompt.",
    );
  }
  return recognise && prompt.length === 0 ? [] : promptsFrom(prompt.map((text) => ({ text })));
}

/** Of a recognition, what is seen is told at once. */
function watchOf(
  { recognise }: SegmentCommandOptions,
  terminal: Terminal,
  signal: AbortSignal,
): ReturnType<Terminal["watch"]> {
  const watch = terminal.watch(signal);
  if (!recognise) return watch;
  const told = new Set<string>();
  return {
    ...watch,
    finding({ prompt, present }) {
      if (present && !told.has(prompt.id)) terminal.say(`seen: ${prompt.text}`);
      told.add(prompt.id);
    },
  };
}

/** Of a recognition what is there, and how much else was looked for. */
function describeFindings(findings: readonly Finding[], { recognise }: SegmentCommandOptions): readonly string[] {
  if (!recognise) return findings.map(describeFinding);
  const found = findings.filter(({ present }) => present);
  const others = findings.length - found.length;
  return [...found.map(describeFinding), ...(others > 0 ? [`looked for and not found: ${others} more`] : [])];
}

/** @throws InvalidRequestError where a word is no output */
function outputsOf(given: readonly string[]): readonly Output[] {
  const words = given.flatMap((list) => list.split(",")).map((word) => word.trim().toLowerCase());
  const unknown = words.find((word) => !outputs.some((output) => output === word));
  if (unknown !== undefined) {
    throw new InvalidRequestError(
      `With --series the results go to the archive: --output takes ${outputs.join(", ")}, or several like seg,sr; a file name belongs to a NIfTI file.`,
    );
  }
  return outputs.filter((output) => words.includes(output));
}

function describeStored({ seg, sr, rtstruct, sc }: SegmentSeriesResult): readonly string[] {
  const named = { "": seg, "report: ": sr, "contours: ": rtstruct, "pictures: ": sc };
  return Object.entries(named).flatMap(([name, stored]) =>
    stored ? [`${name}stored as series ${stored.seriesInstanceUid}`] : [],
  );
}

export async function segmentFile(
  file: string,
  options: SegmentCommandOptions,
  { terminal, signal }: CommandContext,
): Promise<void> {
  if (options.resample || options.segmentationType || options.deflated) {
    throw new InvalidRequestError("--resample, --segmentation-type and --deflated belong to --series.");
  }
  const target = targetOf(options.output ?? (options.recognise ? ["detections"] : []));
  if (target !== undefined) await refuseSameFile(file, target);
  else if (options.probabilities) {
    throw new InvalidRequestError("--probabilities are written to a file: -o probabilities.nii.gz.");
  }
  const prompts = promptsOf(options);
  if (target !== undefined) await refuseUnwritable(target);
  const nifti = await readNiftiInput(file);
  await using ports = await openCommandPorts();
  using watch = watchOf(options, terminal, signal);
  const { modality = "MR" } = options;
  const answer = await segmentImage(
    ports,
    {
      nifti,
      prompts,
      modality: modality.toUpperCase(),
      output: options.probabilities ? "probabilities" : "labels",
      gzip: target !== undefined && isGzipName(target),
      ...questionOf(options),
      ...(options.recognise && { recognise: true }),
      ...(options.volume !== undefined && { volumeIndex: options.volume }),
    },
    watch,
  ).catch((error: unknown) => {
    if (options.modality !== undefined || !(error instanceof InvalidPromptError)) throw error;
    throw new InvalidPromptError(`${error.message.replace(/\.?$/, ".")} ${ASSUMED}`, error.suggestions, {
      cause: error,
    });
  });
  const result = { ...answer, notes: [...answer.notes, ...(options.modality === undefined ? [ASSUMED] : [])] };
  if (target !== undefined) await writeOutput(target, result.nifti);
  const { nifti: _written, ...document } = result;
  terminal.answer({ ...document, ...(target !== undefined && { output: target }) }, [
    ...describeFindings(result.findings, options),
    ...(target === undefined && !options.recognise ? result.findings.flatMap(describeComponents) : []),
    ...result.notes,
    ...(target === undefined ? [] : [`written to ${target}`]),
    `${result.model.title}, version ${result.model.version}. Research use only.`,
  ]);
}

const ASSUMED = "No --modality was given, so the image was taken for MR.";

/** The file to write; undefined where only detections are wanted. @throws InvalidRequestError */
function targetOf(given: readonly string[]): string | undefined {
  const [first, ...others] = given;
  if (first === undefined || others.length > 0) {
    throw new InvalidRequestError("Say where the result goes: -o mask.nii.gz, or -o detections for findings only.");
  }
  if (first === "detections") return undefined;
  if (!isNiftiName(first)) throw new InvalidRequestError("-o is a file that ends in .nii or .nii.gz, or detections.");
  return first;
}
