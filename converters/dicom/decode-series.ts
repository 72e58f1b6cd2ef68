import { availableParallelism } from "node:os";
import { UnsupportedSeriesError } from "../errors.ts";
import type { SourceInstance, Vec3, Volume, VoxelUnit } from "../geometry/index.ts";
import { type DataSet, firstText } from "./data-set.ts";
import { type DecodeOptions, decodeFrames, type EncodedFrame, FrameFault } from "./decode-frames.ts";
import type { ImageFrame } from "./image-frame.ts";
import { damagedPixels } from "./image-instance.ts";
import { instanceRefusal, readInstances, type SeriesFrames } from "./read-instances.ts";
import { interceptOf, realValues, roomForStored, slopeOf, surelyInt16 } from "./real-values.ts";
import { resampleStack } from "./resample-stack.ts";
import { type SeriesHeader, seriesHeader, standInFrameOfReferenceUid } from "./series-header.ts";
import { arrangeSlices } from "./slice-arrangement.ts";
import { storePixels } from "./store-pixels.ts";
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
 * @param instances are not changed, and must not change, until the promise settles.
 * @throws UnsupportedSeriesError where the instances are not one regularly sampled volume; it says why and where.
 * @throws the signal's reason when it is aborted.
 */
export async function decodeSeries(
  instances: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { signal, onInstance, volume: wanted, resample = false, threads = availableParallelism() }: DecodeSeriesOptions = {},
): Promise<DecodedSeries> {
  const series = await readInstances(instances, signal, onInstance);
  const chosen = chooseVolume(series.frames, wanted);
  refuseSeveralFramesOfReference(chosen.frames);
  const arrangement = arrangeSlices(chosen.frames, resample);
  const { slices } = arrangement;
  const header = headerOf(series, slices[0]!);
  const modality = header.series.Modality ?? "OT";
  const unit = unitOf(modality, series.lowest, slices[0]!);
  const stored = await decodeVoxels(slices, series, { threads, ...(signal && { signal }) });
  const notes = [...chosen.notes, ...notesOn(slices, modality, stored)];
  const frameOfReferenceUid = header.frameOfReference.FrameOfReferenceUID;
  if (arrangement.kind === "uneven") {
    const { grid, voxels, note } = resampleStack(stored, arrangement.stack, { columns, rows }(slices[0]!));
    return { volume: {}, header, notes: [...notes, note] };
  }
  return {
    volume: {
      geometry: { size: arrangement.size, ijkToLps: arrangement.ijkToLps, frameOfReferenceUid },
      voxels: stored,
      unit,
      modality,
      sources: slices.map(sourceInstance),
    },
    header,
    notes,
  };
}
