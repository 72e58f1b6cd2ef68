import type { Command } from "commander";
import { decodeSeries, openSeg, segToLabelVolume } from "#converters/dicom/index.ts";
import { voxelSizeMm } from "#converters/geometry/index.ts";
import { niftiParts, writeNifti } from "#converters/nifti/index.ts";
import { dicomFilesIn, isFolder, readInput, writeOutput } from "../files.ts";
import { type CommandContext, runCommand } from "./command.ts";
import { isGzipName, niftiName } from "./nifti-name.ts";
import { wholeNumber } from "./whole-number.ts";

interface Options {
  readonly output: string;
  readonly volume?: number;
  readonly resample?: boolean;
  readonly json?: boolean;
}

export function addConvertCommand(program: Command): void {
  program
    .command("convert")
    .summary("a folder of DICOM files, or a DICOM SEG, to NIfTI")
    .description(
      "Converts a folder that holds one DICOM series to a NIfTI volume, or a DICOM SEG to a NIfTI label map.",
    )
    .argument("<input>", "a folder with one series, or a DICOM SEG file")
    .requiredOption("-o, --output <file>", "the NIfTI file to write: .nii, or .nii.gz (compressed)", niftiName)
    .option(
      "--volume <n>",
      "which volume of a series that holds several (time, echo, b-value, stack), from 0",
      wholeNumber,
    )
    .option("--resample", "put tilted or unevenly spaced slices onto a regular grid instead of refusing them")
    .option("--json", "print one JSON document")
    .action((input: string, options: Options) =>
      runCommand(options.json === true, async (context) => {
        if (await isFolder(input)) await convertSeries(input, options, context);
        else await convertSeg(input, options.output, context);
      }),
    );
}

async function convertSeries(
  folder: string,
  { output, volume: wanted, resample = false }: Options,
  { terminal, signal }: CommandContext,
) {
  using watch = terminal.watch(signal);
  const { volume, notes } = await decodeSeries(dicomFilesIn(folder), {
    signal,
    resample,
    ...(wanted !== undefined && { volume: wanted }),
    onInstance: (count) => watch.progress("decode", 0, `${count} instances`),
  });
  await writeOutput(output, ...(isGzipName(output) ? [writeNifti(volume, { gzip: true })] : niftiParts(volume)));
  const { size, ijkToLps } = volume.geometry;
  const voxelMm = voxelSizeMm(ijkToLps);
  terminal.answer({ output, size, voxelMm, unit: volume.unit, modality: volume.modality, notes }, [
    `${size.join(" x ")} voxels of ${voxelMm.map((mm) => mm.toPrecision(4)).join(" x ")} mm, ${volume.unit}, written to ${output}`,
    ...notes,
  ]);
}

async function convertSeg(file: string, output: string, { terminal }: CommandContext) {
  const { volume, labels, notes } = segToLabelVolume(await openSeg(await readInput(file)));
  await writeOutput(output, writeNifti(volume, { gzip: isGzipName(output) }));
  terminal.answer({ output, size: volume.geometry.size, labels, notes }, [
    ...labels.map(({ value, name }) => `${value} ${name}`),
    `written to ${output}`,
    ...notes,
  ]);
}
