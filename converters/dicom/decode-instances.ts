import { UnsupportedImageError, UnsupportedSeriesError } from "../errors.ts";
import { dot } from "../geometry/index.ts";
import { codecOf } from "./codecs.ts";
import type { DataSet } from "./data-set.ts";
import { decodePixels, type StoredPixels } from "./decode-pixels.ts";
import { CorruptFrameError, type DecodeFrame } from "./frame-codec.ts";
import { type ImageInstance, InstanceFault, imageInstance } from "./image-instance.ts";
import { type DicomFile, readPart10 } from "./read-part10.ts";

/** One decoded instance: nothing of it refers to the bytes of its file. */
export interface DecodedSlice extends Omit<ImageInstance, "pixelData"> {
  readonly pixels: StoredPixels;
}

export interface DecodedSlices {
  /** As received. */
  readonly slices: DecodedSlice[];
  /** The data set of the instance that lies lowest along its normal. */
  readonly lowest: DataSet;
}

export interface DecodeSeriesOptions {
  readonly signal?: AbortSignal;
  /** Called after each instance with the number decoded so far. */
  onInstance?(decoded: number): void;
}

/** 4096 slices of 512x512; more is refused before memory is asked for. */
const MAX_VOXELS = 2 ** 30;

/** Faults after which the rest of a stream is still counted, so that the message can say how many instances there are. */
const COUNTED: ReadonlySet<string> = new Set(["unreadable-instance", "corrupt-pixel-data"]);

/**
 * Decodes each instance as it arrives and lets its bytes go.
 *
 * @throws UnsupportedSeriesError that says which instance, counted as received, is not a slice of one series.
 */
export async function decodeInstances(
  instances: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { signal, onInstance }: DecodeSeriesOptions,
): Promise<DecodedSlices> {
  const slices: DecodedSlice[] = [];
  const codecs = new Map<string, DecodeFrame>();
  let lowest: { readonly height: number; readonly dataSet: DataSet } | undefined;
  let voxels = 0;
  let received = 0;
  let fault: { readonly instance: number; readonly cause: InstanceFault } | undefined;
  for await (const bytes of instances) {
    signal?.throwIfAborted();
    received++;
    if (fault !== undefined) continue;
    try {
      const { instance, dataSet } = readInstance(bytes);
      refuseOtherSeries(instance, slices[0]);
      const { rows, columns, positionLps, normal } = instance.plane;
      voxels += rows * columns;
      if (voxels > MAX_VOXELS) throw tooLarge();
      slices.push(await decodeSlice(instance, codecs));
      const height = dot(positionLps, normal);
      if (lowest === undefined || height < lowest.height) lowest = { height, dataSet };
      onInstance?.(slices.length);
    } catch (cause) {
      if (!(cause instanceof InstanceFault)) throw cause;
      fault = { instance: received, cause };
      slices.length = 0;
      if (!COUNTED.has(cause.reason)) break;
    }
  }
  signal?.throwIfAborted();
  if (fault !== undefined) {
    const total = COUNTED.has(fault.cause.reason) ? received : Array.isArray(instances) ? instances.length : undefined;
    throw refusal(fault.cause, fault.instance, total);
  }
  if (lowest === undefined) {
    throw new UnsupportedSeriesError("empty-series", "The series has no instances. Check that it was sent completely.");
  }
  return { slices, lowest: lowest.dataSet };
}

function readInstance(bytes: Uint8Array): { instance: ImageInstance; dataSet: DataSet } {
  let file: DicomFile;
  try {
    file = readPart10(bytes);
  } catch (cause) {
    if (!(cause instanceof UnsupportedImageError)) throw cause;
    throw new InstanceFault("unreadable-instance", `cannot be read (${cause.reason})`, cause.message, { cause });
  }
  return { instance: imageInstance(file), dataSet: file.dataSet };
}

async function decodeSlice(
  { pixelData, ...instance }: ImageInstance,
  codecs: Map<string, DecodeFrame>,
): Promise<DecodedSlice> {
  let decode = codecs.get(instance.transferSyntaxUid);
  if (decode === undefined) {
    decode = await codecOf(instance.transferSyntaxUid)!();
    codecs.set(instance.transferSyntaxUid, decode);
  }
  try {
    return { ...instance, pixels: decodePixels(pixelData, instance.pixel, decode) };
  } catch (cause) {
    if (!(cause instanceof CorruptFrameError)) throw cause;
    throw new InstanceFault("corrupt-pixel-data", `has damaged pixel data: ${cause.message}`, SEND_AGAIN, { cause });
  }
}

const SEND_AGAIN = "Send it again from its source.";

function refuseOtherSeries(instance: ImageInstance, first: DecodedSlice | undefined): void {
  if (first === undefined) return;
  const sameStudy = instance.studyInstanceUid === first.studyInstanceUid;
  if (sameStudy && instance.seriesInstanceUid === first.seriesInstanceUid) return;
  throw new InstanceFault(
    "mixed-series",
    `belongs to another ${sameStudy ? "series" : "study"} than the first one`,
    "Give the instances of one series only.",
  );
}

function tooLarge(): InstanceFault {
  return new InstanceFault(
    "too-large",
    `takes the series beyond ${MAX_VOXELS} voxels`,
    "Choose a series of fewer or smaller slices.",
  );
}

function refusal(fault: InstanceFault, instance: number, total: number | undefined): UnsupportedSeriesError {
  const which = `Instance ${instance}${total === undefined ? "" : ` of ${total}`} as received`;
  return new UnsupportedSeriesError(
    fault.reason,
    `${which} ${fault.message}. ${fault.advice}`,
    { instance, ...(total !== undefined && { instances: total }) },
    { cause: fault },
  );
}
