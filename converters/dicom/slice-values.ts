import { type DecodeOptions, decodeFrames, type EncodedFrame, FrameFault } from "./decode-frames.ts";
import { CorruptFrameError } from "./frame-codec.ts";
import { type ImageFrame, InstanceFault } from "./image-frame.ts";
import { damagedPixels } from "./image-instance.ts";
import { instanceRefusal } from "./read-instances.ts";
import { storeValues } from "./store-values.ts";

/** A slice without its pixels. */
export type Slice = Omit<ImageFrame, "encoded">;

/** The encoded frames that slices are in: mostly one each, but one for all tiles of a mosaic. */
export interface EncodedSlices {
  readonly frames: EncodedFrame[];
  /** By frame: the slices that it holds. */
  readonly slicesOf: readonly (readonly number[])[];
  /** How many instances the series has, for messages. */
  readonly received: number;
}

/** Takes the slices and what encodes them apart, so that each encoded frame can be freed once it is decoded. */
export function takeSlices(
  frames: readonly ImageFrame[],
  received: number,
): { readonly slices: readonly Slice[]; readonly encoded: EncodedSlices } {
  const indices = [...Map.groupBy(frames.keys(), (k) => frames[k]!.encoded).values()];
  return {
    slices: frames.map(({ encoded, ...slice }) => slice),
    encoded: {
      frames: indices.map(([first]) => encodedFrame(frames[first!]!)),
      slicesOf: indices,
      received,
    },
  };
}

function encodedFrame({ transferSyntaxUid, encoded, pixel }: ImageFrame): EncodedFrame {
  const { Rows: rows, Columns: columns, BitsAllocated: bitsAllocated } = pixel;
  return { transferSyntaxUid, encoded, shape: { rows, columns, bitsAllocated } };
}

/**
 * The real values of slices, one after the other: Int16Array where all are integers that fit, else Float32Array.
 *
 * @param encoded is used up.
 * @throws UnsupportedSeriesError "corrupt-pixel-data" that says which instance
 * @throws the signal's reason when it is aborted.
 */
export async function decodeSliceValues(
  slices: readonly Slice[],
  encoded: EncodedSlices,
  options: DecodeOptions,
): Promise<Int16Array | Float32Array> {
  const perSlice = pixelsOf(slices);
  let values = mayBeIntegers(slices)
    ? new Int16Array(perSlice * slices.length)
    : new Float32Array(perSlice * slices.length);
  const store = (k: number, samples: Uint8Array) => {
    if (storeValues(samples, slices[k]!, values, k * perSlice)) return;
    // Integers so far, so each of them is the same float; this slice is written again.
    values = new Float32Array(values);
    storeValues(samples, slices[k]!, values, k * perSlice);
  };
  await decodeSamples(slices, encoded, encoded.frames, store, options);
  return values;
}

/** Is given one slice; its values are good until it returns. */
export type StoreSlice = (k: number, values: Int16Array | Float32Array) => void;

/**
 * As `decodeSliceValues`, one slice after the other, in no certain order. Where a slice does not fit Int16Array, all slices
 * come once more as Float32Array.
 */
export async function decodeEachSlice(
  slices: readonly Slice[],
  encoded: EncodedSlices,
  store: StoreSlice,
  options: DecodeOptions,
): Promise<void> {
  const perSlice = pixelsOf(slices);
  const decodeInto = (values: Int16Array | Float32Array) => {
    const decode = (k: number, samples: Uint8Array) => {
      if (!storeValues(samples, slices[k]!, values, 0)) throw new UnfitSlice();
      store(k, values);
    };
    return decodeSamples(slices, encoded, [...encoded.frames], decode, options);
  };
  try {
    await decodeInto(mayBeIntegers(slices) ? new Int16Array(perSlice) : new Float32Array(perSlice));
  } catch (cause) {
    if (!(cause instanceof UnfitSlice)) throw cause;
    await decodeInto(new Float32Array(perSlice));
  }
}

/** A slice has values that are no integers of 16 bits. */
class UnfitSlice extends Error {}

function pixelsOf([first]: readonly Slice[]): number {
  return first!.plane.rows * first!.plane.columns;
}

function mayBeIntegers(slices: readonly Slice[]): boolean {
  return slices.every(({ rescale: { RescaleSlope = 1, RescaleIntercept = 0 } }) =>
    [RescaleSlope, RescaleIntercept].every(Number.isInteger),
  );
}

/** @param frames of `encoded`; emptied */
async function decodeSamples(
  slices: readonly Slice[],
  { slicesOf, received }: EncodedSlices,
  frames: EncodedFrame[],
  store: (k: number, samples: Uint8Array) => void,
  options: DecodeOptions,
): Promise<void> {
  const storeFrame = (frame: number, samples: Uint8Array) => {
    for (const k of slicesOf[frame]!) {
      refuseTooFew(samples, slices[k]!);
      store(k, samples);
    }
  };
  try {
    await decodeFrames(frames, storeFrame, options);
  } catch (fault) {
    if (!(fault instanceof FrameFault)) throw fault;
    const { instance, frame } = slices[slicesOf[fault.index]![0]!]!;
    const cause = fault.cause instanceof InstanceFault ? fault.cause : damagedPixels(fault.cause, frame);
    throw instanceRefusal(cause, instance, received);
  }
}

function refuseTooFew(samples: Uint8Array, { pixel }: Slice): void {
  const expected = pixel.Rows * pixel.Columns * (pixel.BitsAllocated >> 3);
  if (samples.length >= expected) return;
  throw new CorruptFrameError(`${samples.length} bytes where its size asks for ${expected}`);
}
