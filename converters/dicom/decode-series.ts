import { UnsupportedSeriesError } from "../errors.ts";
import type { SourceInstance, Volume, VoxelUnit } from "../geometry/index.ts";
import { type DataSet, firstText } from "./data-set.ts";
import { type DecodedSlice, type DecodeSeriesOptions, decodeInstances } from "./decode-instances.ts";
import type { ImagePixelModule } from "./modules.ts";
import { rescaleSlices } from "./rescale.ts";
import { type SeriesHeader, seriesHeader, standInFrameOfReferenceUid } from "./series-header.ts";
import { stackSlices } from "./slice-geometry.ts";

export interface DecodedSeries {
  readonly volume: Volume;
  readonly header: SeriesHeader;
  /** What was assumed or is unusual, as sentences for the user; without patient data. */
  readonly notes: readonly string[];
}

/**
 * Decodes the instances of one series, in any order, to one volume: slice 0 is the one that lies lowest along the normal
 * (row x column direction), so ijkToLps is right-handed. An instance's pixels are decoded as it arrives and its bytes are
 * let go; at the end there is one copy of the stored values and one of the voxels.
 *
 * A voxel is slope * stored + intercept of its own slice: Int16Array where all are integers that fit, else Float32Array.
 * Padding outside the field of view keeps the value that the file gives it; MONOCHROME1 is not inverted.
 *
 * @throws UnsupportedSeriesError where the instances are not one regularly sampled volume; it says why and where.
 * @throws the signal's reason when it is aborted.
 */
export async function decodeSeries(
  instances: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: DecodeSeriesOptions = {},
): Promise<DecodedSeries> {
  const { slices, lowest } = await decodeInstances(instances, options);
  refuseSeveralFramesOfReference(slices);
  const { order, size, ijkToLps } = stackSlices(slices.map(({ plane }) => plane));
  const sorted = order.map((n) => slices[n]!);
  const { seriesInstanceUid, frameOfReferenceUid: given } = slices[0]!;
  const frameOfReferenceUid = given === "" ? standInFrameOfReferenceUid(seriesInstanceUid) : given;
  const header = seriesHeader(lowest, frameOfReferenceUid);
  const modality = header.series.Modality ?? "OT";
  const sources = sorted.map(sourceInstance);
  const notes = notesOn(sorted, modality);
  const rescaled = sorted.map(({ pixels, rescale }) => ({
    pixels,
    slope: rescale.RescaleSlope ?? 1,
    intercept: rescale.RescaleIntercept ?? 0,
  }));
  // From here on only `rescaled` holds the stored values, and gives them up slice by slice.
  slices.length = 0;
  sorted.length = 0;
  const voxels = rescaleSlices(rescaled, size[0] * size[1]);
  const geometry = { size, ijkToLps, frameOfReferenceUid };
  return { volume: { geometry, voxels, unit: unitOf(modality, lowest), modality, sources }, header, notes };
}

function sourceInstance({ sopClassUid, sopInstanceUid, plane }: DecodedSlice, sliceIndex: number): SourceInstance {
  return { sopClassUid, sopInstanceUid, sliceIndex, positionLps: plane.positionLps };
}

function refuseSeveralFramesOfReference(slices: readonly DecodedSlice[]): void {
  const frames = new Set(slices.map(({ frameOfReferenceUid }) => frameOfReferenceUid));
  if (frames.size < 2) return;
  throw new UnsupportedSeriesError(
    "multiple-frames-of-reference",
    `The slices lie in ${frames.size} frames of reference, so their positions cannot be compared. Split the series by Frame of Reference UID.`,
    { framesOfReference: frames.size },
  );
}

/** What a voxel's value means: PS3.3 C.8.2.1 for CT, Units (0054,1001) of C.8.9.1 for PET. */
function unitOf(modality: string, dataSet: DataSet): VoxelUnit {
  if (modality === "CT") return (firstText(dataSet, "RescaleType") ?? "HU") === "HU" ? "HU" : "arbitrary";
  if (modality !== "PT") return "arbitrary";
  const units = firstText(dataSet, "Units");
  return units === "GML" ? "SUV" : units === "BQML" ? "Bq/mL" : "arbitrary";
}

function notesOn(slices: readonly DecodedSlice[], modality: string): readonly string[] {
  const notes: string[] = [];
  if (slices[0]!.frameOfReferenceUid === "") {
    notes.push("The series has no Frame of Reference UID; one was derived from its Series Instance UID.");
  }
  if (modality === "CT" && slices.some(({ rescale }) => rescale.RescaleSlope === undefined)) {
    notes.push("The CT series has no Rescale Slope; its stored values were taken for Hounsfield units.");
  }
  const padded = slices.find(({ pixel, pixels }) => paddingValue(pixel) === pixels.smallest);
  if (padded !== undefined) {
    const { RescaleSlope: slope = 1, RescaleIntercept: intercept = 0 } = padded.rescale;
    const value = slope * padded.pixels.smallest + intercept;
    notes.push(`Padding outside the field of view keeps the value of the files, ${value}.`);
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
