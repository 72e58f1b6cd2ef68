import { type DecodeOptions, decodeFrames, type EncodedFrame, FrameFault } from "./decode-frames.ts";
import { CorruptFrameError } from "./frame-codec.ts";
import type { ImageFrame } from "./image-frame.ts";
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
  return { transferSyntaxUid, fragments: encoded, shape: { rows, columns, bitsAllocated } };
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
  { frames, slicesOf, received }: EncodedSlices,
  options: DecodeOptions,
): Promise<Int16Array | Float32Array> {
  const { rows, columns } = slices[0]!.plane;
  const perSlice = rows * columns;
  const whole = slices.every(({ rescale: { RescaleSlope = 1, RescaleIntercept = 0 } }) =>
    [RescaleSlope, RescaleIntercept].every(Number.isInteger),
  );
  let values = whole ? new Int16Array(perSlice * slices.length) : new Float32Array(perSlice * slices.length);
  const store = (frame: number, samples: Uint8Array) => {
    for (const k of slicesOf[frame]!) {
      const slice = slices[k]!;
      refuseTooFew(samples, slice);
      if (storeValues(samples, slice, values, k * perSlice)) continue;
      // Integers so far, so each of them is the same float; this slice is written again.
      values = new Float32Array(values);
      storeValues(samples, slice, values, k * perSlice);
    }
  };
  try {
    await decodeFrames(frames, store, options);
  } catch (fault) {
    if (!(fault instanceof FrameFault)) throw fault;
    const { instance } = slices[slicesOf[fault.index]![0]!]!;
    throw instanceRefusal(damagedPixels(fault.cause), instance, received);
  }
  return values;
}

function refuseTooFew(samples: Uint8Array, { pixel }: Slice): void {
  const expected = pixel.Rows * pixel.Columns * (pixel.BitsAllocated >> 3);
  if (samples.length >= expected) return;
  throw new CorruptFrameError(`${samples.length} bytes where its size asks for ${expected}`);
}
