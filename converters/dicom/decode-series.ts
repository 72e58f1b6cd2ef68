import { availableParallelism } from "node:os";
import { UnsupportedSeriesError } from "../errors.ts";
import type { Volume, VoxelUnit } from "../geometry/index.ts";
import { type DataSet, firstText } from "./data-set.ts";
import type { ImageFrame } from "./image-frame.ts";
import type { ImagePixelModule } from "./modules.ts";
import { readInstances, type SeriesFrames } from "./read-instances.ts";
import { resampleStack } from "./resample-stack.ts";
import { type SeriesHeader, seriesHeader, standInFrameOfReferenceUid } from "./series-header.ts";
import { arrangeSlices, type SliceArrangement } from "./slice-arrangement.ts";
import { decodeSliceValues, type Slice, takeSlices } from "./slice-values.ts";
import { sourceInstances } from "./source-instances.ts";
import { smallestOf } from "./value-range.ts";
import { chooseVolume } from "./volume-choice.ts";

export interface DecodedSeries {
  readonly volume: Volume;
  readonly header: SeriesHeader;
  /** What was assumed, chosen or is unusual, as sentences for the user; without patient data. */
  readonly notes: readonly string[];
}

export interface DecodeSeriesOptions {
  readonly signal?: AbortSignal;
  /** Called after each instance with the number read so far. */
  onInstance?(read: number): void;
  /** Which volume of a series that holds several (time points, echoes, b-values, stacks), counted from 0; 0 if absent. */
  readonly volume?: number;
  /**
   * Puts slices that are not one regular grid (gantry tilt, missing slices, uneven gaps) onto one by interpolation, with a
   * note that says so; without it they are refused.
   */
  readonly resample?: boolean;
  /** The most threads that may decode compressed frames; as many as there are cores if absent, and 0 for none. */
  readonly threads?: number;
}

/**
 * Decodes the instances of one series, in any order, to one volume: slice 0 is the one that lies lowest along the normal
 * (row x column direction), so ijkToLps is right-handed. Classic and enhanced images are read, and Siemens mosaics. Headers
 * are read as instances arrive; pixels are decoded once it is known which belong to the volume and where each lies.
 *
 * A voxel is slope * stored + intercept of its own slice: Int16Array where all are integers that fit, else Float32Array.
 * Padding outside the field of view keeps the value that the file gives it; MONOCHROME1 is not inverted.
 *
 * @param instances must not change until the promise settles.
 * @throws UnsupportedSeriesError where the instances are not one regularly sampled volume; it says why and where.
 * @throws the signal's reason when it is aborted.
 */
export async function decodeSeries(
  instances: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: DecodeSeriesOptions = {},
): Promise<DecodedSeries> {
  const { signal, onInstance, threads = availableParallelism() } = options;
  const { encoded, slices, arrangement, ...series } = prepare(
    await readInstances(instances, signal, onInstance),
    options,
  );
  const values = await decodeSliceValues(slices, encoded, { threads, ...(signal && { signal }) });
  const { size, ijkToLps, uneven } = arrangement;
  const { header, unit } = series;
  const modality = header.series.Modality ?? "OT";
  return {
    volume: {
      geometry: { size, ijkToLps, frameOfReferenceUid: header.frameOfReference.FrameOfReferenceUID },
      voxels: uneven ? resampleStack(values, uneven, size) : values,
      unit,
      modality,
      sources: sourceInstances(slices, arrangement),
    },
    header,
    notes: [...series.notes, ...notesOnValues(slices, modality, values), ...notesOnGrid(arrangement)],
  };
}

/** All that is to be known before pixels are decoded. What it returns holds none of the frames that were not chosen. */
function prepare({ frames, received, lowest }: SeriesFrames, { volume, resample = false }: DecodeSeriesOptions) {
  const chosen = chooseVolume(frames, volume);
  refuseSeveralFramesOfReference(chosen.frames);
  const arrangement = arrangeSlices(
    chosen.frames.map(({ plane }) => plane),
    resample,
  );
  const first = chosen.frames[0]!;
  const given = first.frameOfReferenceUid;
  const header = seriesHeader(lowest, given === "" ? standInFrameOfReferenceUid(first.seriesInstanceUid) : given);
  const notes = [...chosen.notes];
  if (given === "") {
    notes.push("The series has no Frame of Reference UID; one was derived from its Series Instance UID.");
  }
  return {
    ...takeSlices(
      arrangement.order.map((n) => chosen.frames[n]!),
      received,
    ),
    arrangement,
    header,
    unit: unitOf(header.series.Modality, lowest, first),
    notes,
  };
}

function refuseSeveralFramesOfReference(slices: readonly ImageFrame[]): void {
  const frames = new Set(slices.map(({ frameOfReferenceUid }) => frameOfReferenceUid));
  if (frames.size < 2) return;
  throw new UnsupportedSeriesError(
    "multiple-frames-of-reference",
    `The slices lie in ${frames.size} frames of reference, so their positions cannot be compared. Split the series by Frame of Reference UID.`,
    { framesOfReference: frames.size },
  );
}

/** What a voxel's value means: PS3.3 C.8.2.1 for CT, Units (0054,1001) of C.8.9.1 for PET. */
function unitOf(modality: string | undefined, dataSet: DataSet, { rescale }: ImageFrame): VoxelUnit {
  if (modality === "CT") return (rescale.RescaleType ?? "HU") === "HU" ? "HU" : "arbitrary";
  if (modality !== "PT") return "arbitrary";
  const units = firstText(dataSet, "Units");
  return units === "GML" ? "SUV" : units === "BQML" ? "Bq/mL" : "arbitrary";
}

function notesOnValues(
  slices: readonly Slice[],
  modality: string,
  values: Int16Array | Float32Array,
): readonly string[] {
  const notes: string[] = [];
  if (modality === "CT" && slices.some(({ rescale }) => rescale.RescaleSlope === undefined)) {
    notes.push("The CT series has no Rescale Slope; its stored values were taken for Hounsfield units.");
  }
  const perSlice = values.length / slices.length;
  for (const [k, slice] of slices.entries()) {
    const stored = paddingValue(slice.pixel);
    if (stored === undefined) continue;
    const { RescaleSlope: slope = 1, RescaleIntercept: intercept = 0 } = slice.rescale;
    const padding = slope * stored + intercept;
    if (smallestOf(values, k * perSlice, (k + 1) * perSlice) !== padding) continue;
    notes.push(`Padding outside the field of view keeps the value of the files, ${padding}.`);
    break;
  }
  return notes;
}

/** Pixel Padding Value (0028,0120) as a stored value: its VR does not always agree with Pixel Representation. */
function paddingValue({ PixelPaddingValue, PixelRepresentation, BitsStored }: ImagePixelModule): number | undefined {
  if (PixelPaddingValue === undefined) return undefined;
  const unused = 32 - BitsStored;
  const topmost = PixelPaddingValue << unused;
  return PixelRepresentation === 1 ? topmost >> unused : topmost >>> unused;
}

function notesOnGrid({ uneven, size, ijkToLps }: SliceArrangement): readonly string[] {
  if (uneven === undefined) return [];
  const spacing = Math.hypot(ijkToLps[2], ijkToLps[6], ijkToLps[10]);
  return [
    `The voxels were interpolated onto a regular grid of ${size.join("x")}, ${spacing.toFixed(2)} mm from slice to slice, for the slices are none. ${uneven.fault.problem}.`,
  ];
}
