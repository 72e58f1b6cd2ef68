import { UnsupportedSeriesError } from "../errors.ts";
import { dot } from "../geometry/index.ts";
import { type DataSet, firstText } from "./data-set.ts";
import { type ImageFrame, InstanceFault } from "./image-frame.ts";
import { imageFrames } from "./image-instance.ts";
import type { InstanceSource } from "./instance-source.ts";
import { openHeaderReader } from "./read-header.ts";
import { readPart10 } from "./read-part10.ts";
import { readable } from "./readable.ts";

/** The frames of a series, with their pixels still encoded. */
export interface SeriesFrames {
  /** As received. */
  readonly frames: readonly ImageFrame[];
  /** How many instances there are. */
  readonly received: number;
  /** The data set of the instance whose first frame lies lowest along its normal. */
  readonly lowest: DataSet;
}

/** 4096 slices of 512x512; more is refused before memory is asked for. */
const MAX_VOXELS = 2 ** 30;

/** Faults after which the rest of a stream is still counted, so that the message can say how many instances there are. */
const COUNTED: ReadonlySet<string> = new Set(["unreadable-instance", "corrupt-pixel-data"]);

/**
 * Reads the headers of instances as they arrive; of their bytes only the pixel data are kept, and of those that are to be
 * fetched not even these.
 *
 * @param onInstance called after each instance with their number so far
 * @throws UnsupportedSeriesError that says which instance, counted as received, is not one of slices of one series.
 */
export async function readInstances(
  instances: AsyncIterable<Uint8Array | InstanceSource> | Iterable<Uint8Array | InstanceSource>,
  signal: AbortSignal | undefined,
  onInstance: ((read: number) => void) | undefined,
): Promise<SeriesFrames> {
  const frames: ImageFrame[] = [];
  let lowest: { readonly height: number; readonly uid: string; readonly dataSet: DataSet } | undefined;
  let voxels = 0;
  let received = 0;
  let fault: { readonly instance: number; readonly cause: InstanceFault } | undefined;
  const headerOf = openHeaderReader();
  for await (const instance of instances) {
    signal?.throwIfAborted();
    received++;
    if (fault !== undefined) continue;
    try {
      const file = instance instanceof Uint8Array ? readable(() => readPart10(instance)) : await headerOf(instance);
      const { dataSet } = file;
      const slices = imageFrames(file, received);
      if (lowest !== undefined) refuseOtherPatient(dataSet, lowest.dataSet);
      for (const slice of slices) {
        refuseOtherSeries(slice, frames[0]);
        voxels += slice.plane.rows * slice.plane.columns;
        if (voxels > MAX_VOXELS) throw tooLarge();
        frames.push(slice);
      }
      const { plane, sopInstanceUid: uid } = slices[0]!;
      const height = dot(plane.positionLps, plane.normal);
      // Of several at one height it is always the same one.
      const lower = lowest === undefined || height < lowest.height || (height === lowest.height && uid < lowest.uid);
      if (lower) lowest = { height, uid, dataSet };
      onInstance?.(received);
    } catch (cause) {
      if (!(cause instanceof InstanceFault)) throw cause;
      fault = { instance: received, cause };
      frames.length = 0;
      if (!COUNTED.has(cause.reason)) break;
    }
  }
  signal?.throwIfAborted();
  if (fault !== undefined) {
    const total = COUNTED.has(fault.cause.reason) ? received : Array.isArray(instances) ? instances.length : undefined;
    throw instanceRefusal(fault.cause, fault.instance, total);
  }
  if (lowest === undefined) {
    throw new UnsupportedSeriesError("empty-series", "The series has no instances. Check that it was sent completely.");
  }
  return { frames, received, lowest: lowest.dataSet };
}

/** @param instance counted from 1 as received */
export function instanceRefusal(
  fault: InstanceFault,
  instance: number,
  total: number | undefined,
): UnsupportedSeriesError {
  const which = `Instance ${instance}${total === undefined ? "" : ` of ${total}`} as received`;
  return new UnsupportedSeriesError(
    fault.reason,
    `${which} ${fault.message}. ${fault.advice}`,
    { instance, ...(total !== undefined && { instances: total }) },
    { cause: fault },
  );
}

function refuseOtherSeries(slice: ImageFrame, first: ImageFrame | undefined): void {
  if (first === undefined) return;
  const sameStudy = slice.studyInstanceUid === first.studyInstanceUid;
  if (sameStudy && slice.seriesInstanceUid === first.seriesInstanceUid) return;
  throw new InstanceFault(
    "mixed-series",
    `belongs to another ${sameStudy ? "series" : "study"} than the first one`,
    "Give the instances of one series only.",
  );
}

/** A result has one patient: it must not be filed under the wrong one. */
function refuseOtherPatient(dataSet: DataSet, other: DataSet): void {
  if ((firstText(dataSet, "PatientID") ?? "") === (firstText(other, "PatientID") ?? "")) return;
  throw new InstanceFault(
    "mixed-patients",
    "names another patient than the others",
    "Find out whose images they are, and correct the identities in the archive first.",
  );
}

function tooLarge(): InstanceFault {
  return new InstanceFault(
    "too-large",
    `takes the series beyond ${MAX_VOXELS} voxels`,
    "Choose a series of fewer or smaller slices.",
  );
}
