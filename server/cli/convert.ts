import { type Command, Option } from "commander";
// Not by the folders' faces: what reads and writes all else would take longer to load than a series to convert.
import { type OpenedSeries, openSeries } from "#converters/dicom/decode-series.ts";
import { voxelSizeMm } from "#converters/geometry/index.ts";
import { niftiHeader, niftiParts, writeNifti } from "#converters/nifti/write.ts";
import { dicomFilesIn } from "../dicom-folder.ts";
import { isDevice, isFolder, readInput, writeOutput, writeOutputFile } from "../files.ts";
import { type CommandContext, runCommand } from "./command.ts";
import { isGzipName, niftiName } from "./nifti-name.ts";
import { wholeNumber } from "./whole-number.ts";

interface Options {
  readonly output: string;
  readonly volume?: number;
  readonly resample?: boolean;
  readonly padding: "keep" | "air";
  readonly petUnits: "suv" | "activity";
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
    .addOption(
      new Option(
        "--padding <what>",
        "outside the field of view (Pixel Padding Value): the files' value, or air (-1000 HU; 0 in PET, MR, NM)",
      )
        .choices(["keep", "air"])
        .default("keep"),
    )
    .addOption(
      new Option("--pet-units <units>", "of PET: SUV by body weight where the header allows it, or activity in Bq/mL")
        .choices(["suv", "activity"])
        .default("suv"),
    )
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
  { output, volume: wanted, resample = false, padding, petUnits }: Options,
  { terminal, signal }: CommandContext,
) {
  using watch = terminal.watch(signal);
  const series = await openSeries(dicomFilesIn(folder), {
    signal,
    resample,
    padding,
    petUnits,
    ...(wanted !== undefined && { volume: wanted }),
    onInstance: (count) => watch.progress("decode", 0, `${count} instances`),
  });
  const notes = await writeSeries(series, output);
  const { geometry, unit, modality } = series.volume;
  const { size, ijkToLps } = geometry;
  const voxelMm = voxelSizeMm(ijkToLps);
  terminal.answer({ output, size, voxelMm, unit, modality, notes }, [
    `${size.join(" x ")} voxels of ${voxelMm.map((mm) => mm.toPrecision(4)).join(" x ")} mm, ${unit}, written to ${output}`,
    ...notes,
  ]);
}

/** Writes slices as they are decoded, where that can be: a volume that is not held in memory is converted in a third of the time. */
async function writeSeries(series: OpenedSeries, output: string): Promise<readonly string[]> {
  const { decodeSlices, volume } = series;
  if (decodeSlices === undefined || isGzipName(output) || (await isDevice(output))) {
    const { volume: whole, notes } = await series.decode();
    const parts = niftiParts(whole);
    await writeOutput(output, ...(isGzipName(output) ? await gzipped(parts) : parts));
    return notes;
  }
  return writeOutputFile(output, (put) =>
    decodeSlices((k, values) => {
      const header = niftiHeader(volume.geometry, values);
      const { buffer, byteOffset, byteLength } = values;
      if (k === 0) put(header, 0);
      put(new Uint8Array(buffer, byteOffset, byteLength), header.length + k * byteLength);
    }),
  );
}

/** In pieces: a compressed file may be as large as the volume beside it, but no copy of that is made. */
async function gzipped(parts: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
  const { createGzip } = await import("node:zlib");
  const gzip = createGzip({ level: 4, chunkSize: 1024 * 1024 });
  const { Readable } = await import("node:stream");
  return Readable.from(pieces(parts)).pipe(gzip).toArray();
}

const PIECE_BYTES = 4 * 1024 * 1024;

function* pieces(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const part of parts) {
    for (let at = 0; at < part.length; at += PIECE_BYTES) yield part.subarray(at, at + PIECE_BYTES);
  }
}

async function convertSeg(file: string, output: string, { terminal }: CommandContext) {
  const { openSeg, segToLabelVolume } = await import("#converters/dicom/index.ts");
  const { volume, labels, notes } = segToLabelVolume(await openSeg(await readInput(file)));
  await writeOutput(output, writeNifti(volume, { gzip: isGzipName(output) }));
  terminal.answer({ output, size: volume.geometry.size, labels, notes }, [
    ...labels.map(({ value, name }) => `${value} ${name}`),
    `written to ${output}`,
    ...notes,
  ]);
}
