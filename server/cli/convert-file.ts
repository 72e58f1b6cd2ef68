import { type DecodedSeg, labelsOffSlices, openSeg, segToLabelVolume } from "#converters/dicom/index.ts";
import { UnsupportedImageError, UnsupportedSeriesError } from "#converters/errors.ts";
import { voxelSizeMm } from "#converters/geometry/index.ts";
import { decodeNifti, isNifti, writeNifti } from "#converters/nifti/index.ts";
import { InvalidRequestError } from "#server/domain/index.ts";
import { readInput, refuseSameFile, writeOutput } from "../files.ts";
import type { CommandContext } from "./command.ts";
import { type ConvertOptions, convertSeries } from "./convert-series.ts";
import { type LikeSeries, openLike } from "./like-series.ts";
import { isGzipName } from "./nifti-name.ts";

/** A DICOM SEG, a DICOM series in one file, or a NIfTI file: its content says which. */
export async function convertFile(file: string, options: ConvertOptions, context: CommandContext): Promise<void> {
  await refuseSameFile(file, options.output);
  const bytes = await readInput(file);
  if (isNifti(bytes)) return convertNifti(bytes, options, context);
  if (String.fromCharCode(...bytes.subarray(128, 132)) !== "DICM") {
    throw new UnsupportedImageError(
      "not-dicom",
      `The file is ${bytes.length === 0 ? "empty" : "neither DICOM nor NIfTI"}. Give a DICOM SEG, an enhanced DICOM image, a NIfTI file, or the folder of a DICOM series.`,
    );
  }
  const seg = await segOf(bytes);
  return seg ? convertSeg(seg, options, context) : convertImage(bytes, options, context);
}

async function segOf(bytes: Uint8Array): Promise<DecodedSeg | undefined> {
  try {
    return await openSeg(bytes);
  } catch (error) {
    if (error instanceof UnsupportedImageError && error.reason === "not-a-segmentation") return undefined;
    throw error;
  }
}

async function convertSeg(
  seg: DecodedSeg,
  { output, like: likePath, volume: wanted, resample }: ConvertOptions,
  { terminal, signal }: CommandContext,
): Promise<void> {
  if (likePath === undefined && (wanted !== undefined || resample)) {
    throw new InvalidRequestError(
      "Of a SEG, --volume and --resample say how the series of --like is read. Give that too.",
    );
  }
  if (likePath !== undefined) await refuseSameFile(likePath, output);
  const choice = { ...(wanted !== undefined && { volume: wanted }), ...(resample && { resample }) };
  const like = likePath === undefined ? undefined : await openLike(likePath, { ...choice, signal });
  const { volume, labels, notes } = like ? labelsOn(like, seg) : labelsAlone(seg);
  await writeOutput(output, writeNifti(volume, { gzip: isGzipName(output) }));
  const { size } = volume.geometry;
  terminal.answer({ output, size, labels, notes }, [
    ...labels.map(({ value, name }) => `${value} ${name}`),
    `${size.join(" x ")} voxels, written to ${output}`,
    ...notes,
  ]);
}

function labelsAlone(seg: DecodedSeg): ReturnType<typeof segToLabelVolume> {
  const alone = segToLabelVolume(seg);
  const note = "The grid spans the SEG's own slices. --like FOLDER puts it on that of the whole series.";
  return { ...alone, notes: [...alone.notes, note] };
}

/** @throws UnsupportedImageError where the SEG does not lie on the series; it says so where it is of another one */
function labelsOn(
  { geometry, stack, seriesInstanceUid }: LikeSeries,
  seg: DecodedSeg,
): ReturnType<typeof segToLabelVolume> {
  const theirs = seg.referencedSeriesInstanceUid;
  const isAnother = theirs !== undefined && seriesInstanceUid !== undefined && theirs !== seriesInstanceUid;
  try {
    const { volume, labels, notes } = segToLabelVolume(seg, stack ?? geometry);
    const voxels = stack ? labelsOffSlices(volume.voxels, stack, geometry.size) : volume.voxels;
    return {
      volume: { ...volume, geometry, voxels },
      labels,
      notes: [...notes, ...(stack ? [OFF_SLICES] : []), ...(isAnother ? [ANOTHER] : [])],
    };
  } catch (cause) {
    if (!isAnother || !(cause instanceof UnsupportedImageError)) throw cause;
    const explanation = `The SEG refers to another series than --like gives. ${cause.message}`;
    throw new UnsupportedImageError(cause.reason, explanation, { cause });
  }
}

const ANOTHER = "The SEG refers to another series than --like gives. It lies on the same voxels, and was put on them.";
const OFF_SLICES =
  "The series' slices are no regular grid: on the one that was made of them, each slice has the labels of the nearest that was sent.";

/** An enhanced image is a series in one file; a classic one is a single slice. */
async function convertImage(bytes: Uint8Array, options: ConvertOptions, context: CommandContext): Promise<void> {
  if (options.like !== undefined) throw ofASeg("an image");
  try {
    await convertSeries([bytes], options, context);
  } catch (cause) {
    if (!(cause instanceof UnsupportedSeriesError) || cause.reason !== "too-few-slices") throw cause;
    const explanation =
      "The file holds too few slices for a volume. Give the folder that holds all files of the series.";
    throw new UnsupportedSeriesError(cause.reason, explanation, cause.details, { cause });
  }
}

async function convertNifti(
  bytes: Uint8Array,
  { output, volume: volumeIndex, like, resample }: ConvertOptions,
  { terminal }: CommandContext,
): Promise<void> {
  if (like !== undefined) throw ofASeg("a NIfTI file");
  if (resample) throw new InvalidRequestError("--resample belongs to a DICOM series: a NIfTI file is a regular grid.");
  const { volume, notes } = decodeNifti(bytes, volumeIndex === undefined ? {} : { volumeIndex });
  await writeOutput(output, writeNifti(volume, { gzip: isGzipName(output) }));
  const { size, ijkToLps } = volume.geometry;
  const voxelMm = voxelSizeMm(ijkToLps);
  terminal.answer({ output, size, voxelMm, notes }, [
    `${size.join(" x ")} voxels of ${voxelMm.map((mm) => mm.toPrecision(4)).join(" x ")} mm, written to ${output}`,
    ...notes,
  ]);
}

function ofASeg(what: string): InvalidRequestError {
  return new InvalidRequestError(`--like belongs to a DICOM SEG, and the input is ${what}.`);
}
