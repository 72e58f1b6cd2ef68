import { availableParallelism } from "node:os";
import { UnsupportedSeriesError } from "../errors.ts";
import type { Volume } from "../geometry/index.ts";
import type { ImageFrame } from "./image-frame.ts";
import type { InstanceSource } from "./instance-source.ts";
import { lookUp } from "./lookup-tables.ts";
import { type LossyCompression, strongestCompression } from "./lossy-compression.ts";
import { type Padding, watchPadding } from "./pixel-padding.ts";
import { readInstances, type SeriesFrames } from "./read-instances.ts";
import { resampleStack } from "./resample-stack.ts";
import { type SeriesHeader, seriesHeader, standInFrameOfReferenceUid } from "./series-header.ts";
import { notesOnGrid, notesOnValues } from "./series-notes.ts";
import { type PetUnits, seriesValues } from "./series-values.ts";
import { arrangeSlices } from "./slice-arrangement.ts";
import { sliceStack } from "./slice-stack.ts";
import { decodeEachSlice, decodeSliceValues, type StoreSlice, takeSlices } from "./slice-values.ts";
import { sourceInstances } from "./source-instances.ts";
import { chooseVolume } from "./volume-choice.ts";

export interface DecodedSeries {
  readonly volume: Volume;
  readonly header: SeriesHeader;
  /** Where pixels of the volume once went through lossy compression: a result made of them inherits it. */
  readonly lossyCompression?: LossyCompression;
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
  /**
   * What voxels outside the field of view become, where the files say which those are (Pixel Padding Value and Range Limit):
   * "keep" leaves them the files' value, "air" makes them -1000 HU, and 0 in PET, MR and NM. "keep" if absent.
   */
  readonly padding?: Padding;
  /** "suv": SUV by body weight where a PET's header allows it; "activity": Bq/mL where it has that. "suv" if absent. */
  readonly petUnits?: PetUnits;
  /** The most threads that may decode compressed frames; as many as there are cores if absent, and 0 for none. */
  readonly threads?: number;
}

/**
 * Decodes the instances of one series, in any order, to one volume: slice 0 is the one that lies lowest along the normal
 * (row x column direction), so ijkToLps is right-handed. Classic and enhanced images are read, and Siemens mosaics. Headers
 * are read as instances arrive; pixels are decoded once it is known which belong to the volume and where each lies.
 *
 * A voxel is slope * stored + intercept of its own slice: Int16Array where all are integers that fit, else Float32Array.
 * Which slope, `seriesValues` chooses: PET becomes SUV by body weight where the header allows it.
 * Padding outside the field of view keeps the value that the file gives it unless `padding` says else; MONOCHROME1 is not
 * inverted.
 *
 * @param instances must not change until the promise settles.
 * @throws UnsupportedSeriesError where the instances are not one regularly sampled volume; it says why and where.
 * @throws the signal's reason when it is aborted.
 */
export async function decodeSeries(
  instances: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: DecodeSeriesOptions = {},
): Promise<DecodedSeries> {
  return (await openSeries(instances, options)).decode();
}

/** A series whose headers were read: all is known of its volume but the voxels. */
export interface OpenedSeries extends Omit<DecodedSeries, "volume"> {
  readonly volume: Omit<Volume, "voxels">;
  /** Decodes the voxels, once. */
  decode(): Promise<DecodedSeries>;
  /**
   * Decodes them slice by slice, for volumes that are not to be held in memory. Absent where slices do not come out of the
   * files as they are (resampled, or looked up in a table).
   *
   * @param store is given each slice (i fastest), in no certain order; its values are good until it returns. All are
   * Int16Array or all Float32Array: where a slice turns out not to fit the one, all come once more as the other.
   * @returns all notes
   */
  readonly decodeSlices: ((store: StoreSlice) => Promise<readonly string[]>) | undefined;
}

/**
 * Reads the headers of a series, as `decodeSeries` does. Instances may be sources, whose pixels are fetched when they are
 * decoded, so that a series need not fit into memory.
 *
 * @throws UnsupportedSeriesError
 * @throws the signal's reason when it is aborted; that stops the decoding as well.
 */
export async function openSeries(
  instances: AsyncIterable<Uint8Array | InstanceSource> | Iterable<Uint8Array | InstanceSource>,
  options: DecodeSeriesOptions = {},
): Promise<OpenedSeries> {
  const { signal, onInstance, threads = availableParallelism(), padding = "keep" } = options;
  const { encoded, slices, arrangement, unit, notes, ...series } = prepare(
    await readInstances(instances, signal, onInstance),
    options,
  );
  const decoding = { threads, ...(signal && { signal }) };
  const { size, ijkToLps, uneven } = arrangement;
  const { header, lossyCompression } = series;
  const modality = header.series.Modality ?? "OT";
  const frameOfReferenceUid = header.frameOfReference.FrameOfReferenceUID;
  const stack = sliceStack(slices, arrangement, frameOfReferenceUid);
  const volume = {
    geometry: { size, ijkToLps, frameOfReferenceUid },
    unit,
    modality,
    sources: sourceInstances(slices, arrangement),
    ...(stack && { stack }),
  };
  const common = { header, ...(lossyCompression && { lossyCompression }) };
  const known = [...notes, ...notesOnValues(slices, modality)];
  const openWatch = () => watchPadding(slices, { padding, unit, modality });
  const asTheyAre = uneven === undefined && slices.every(({ table }) => table === undefined);
  return {
    ...common,
    volume,
    notes: known,
    async decode() {
      const values = lookUp(await decodeSliceValues(slices, encoded, decoding), slices);
      const watch = openWatch();
      const perSlice = values.length / slices.length;
      for (let k = 0; k < slices.length; k++) watch.look(k, values.subarray(k * perSlice, (k + 1) * perSlice));
      return {
        ...common,
        volume: { ...volume, voxels: uneven ? resampleStack(values, uneven, size) : values },
        notes: [...known, ...watch.notes(), ...notesOnGrid(arrangement)],
      };
    },
    decodeSlices: asTheyAre
      ? async (store) => {
          const watch = openWatch();
          await decodeEachSlice(
            slices,
            encoded,
            (k, values) => {
              watch.look(k, values);
              store(k, values);
            },
            decoding,
          );
          return [...known, ...watch.notes()];
        }
      : undefined,
  };
}

/** All that is to be known before pixels are decoded. What it returns holds none of the frames that were not chosen. */
function prepare(
  { frames, received, lowest }: SeriesFrames,
  { volume, resample = false, petUnits }: DecodeSeriesOptions,
) {
  const chosen = chooseVolume(frames, volume);
  refuseSeveralFramesOfReference(chosen.frames);
  const arrangement = arrangeSlices(
    chosen.frames.map(({ plane }) => plane),
    resample,
  );
  const first = chosen.frames[0]!;
  const given = first.frameOfReferenceUid;
  const header = seriesHeader(lowest, given === "" ? standInFrameOfReferenceUid(first.seriesInstanceUid) : given);
  const values = seriesValues(chosen.frames, frames, header.series.Modality, petUnits);
  const remarks = new Set(chosen.frames.flatMap(({ remark }) => remark ?? []));
  const notes = [...chosen.notes, ...remarks, ...values.notes];
  if (given === "") {
    notes.push("The series has no Frame of Reference UID; one was derived from its Series Instance UID.");
  }
  return {
    ...takeSlices(
      arrangement.order.map((n) => values.frames[n]!),
      received,
    ),
    arrangement,
    header,
    unit: values.unit,
    lossyCompression: strongestCompression(chosen.frames),
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
