import { CorruptFrameError } from "./frame-codec.ts";
import type { PixelData } from "./pixel-data.ts";

/** Bytes before each fragment: its item tag and length. */
const ITEM_HEADER = 8;

/**
 * The bytes of each frame, as lists of fragments; views on the pixel data. Offset tables are only believed where they
 * lead to fragments.
 *
 * @param bytesPerFrame of uncompressed frames
 * @param extendedOffsets Extended Offset Table (7FE0,0001), where there is one
 * @throws CorruptFrameError where the pixel data is not that of `count` frames
 */
export function encodedFrames(
  pixelData: PixelData,
  count: number,
  bytesPerFrame: number,
  extendedOffsets?: Uint8Array,
): readonly (readonly Uint8Array[])[] {
  if ("value" in pixelData) return nativeFrames(pixelData.value, count, bytesPerFrame);
  const { fragments, offsetTable } = pixelData;
  if (count === 1) return [fragments];
  if (fragments.length === count) return fragments.map((fragment) => [fragment]);
  const frames =
    groupedBy(fragments, startsAt(fragments, offsets64(extendedOffsets)), count) ??
    groupedBy(fragments, startsAt(fragments, offsetTable), count) ??
    groupedBy(fragments, startsByMarker(fragments), count);
  if (frames !== undefined) return frames;
  throw new CorruptFrameError(
    `its ${fragments.length} fragments cannot be told apart into ${count} frames: the offset table does not fit them`,
  );
}

function nativeFrames(value: Uint8Array, count: number, bytesPerFrame: number): readonly (readonly Uint8Array[])[] {
  if (value.length < count * bytesPerFrame) {
    throw new CorruptFrameError(`${value.length} bytes where its size asks for ${count * bytesPerFrame}`);
  }
  return Array.from({ length: count }, (_, n) => [value.subarray(n * bytesPerFrame, (n + 1) * bytesPerFrame)]);
}

/** The frames that begin with the fragments of these indices, or undefined where those are not `count` frames. */
function groupedBy(fragments: readonly Uint8Array[], starts: readonly number[] | undefined, count: number) {
  if (starts === undefined || starts.length !== count || starts[0] !== 0) return undefined;
  return starts.map((start, n) => fragments.slice(start, starts[n + 1] ?? fragments.length));
}

/** The fragments that lie at these offsets, or undefined where one lies elsewhere or they do not ascend. */
function startsAt(fragments: readonly Uint8Array[], offsets: readonly number[]): readonly number[] | undefined {
  const indexAt = new Map<number, number>();
  let at = 0;
  for (const [n, { length }] of fragments.entries()) {
    indexAt.set(at, n);
    at += ITEM_HEADER + length;
  }
  const starts = offsets.map((offset) => indexAt.get(offset) ?? -1);
  return starts.every((start, n) => start > (starts[n - 1] ?? -1)) ? starts : undefined;
}

/** The fragments that begin with the start marker of a JPEG, JPEG-LS or JPEG 2000 image. */
function startsByMarker(fragments: readonly Uint8Array[]): readonly number[] {
  return fragments.flatMap((bytes, n) => (startsImage(bytes) ? [n] : []));
}

function startsImage([a, b, c, d]: Uint8Array): boolean {
  if (a !== 0xff || c !== 0xff) return false;
  return b === 0xd8 || (b === 0x4f && d === 0x51);
}

function offsets64(table: Uint8Array | undefined): readonly number[] {
  if (table === undefined) return [];
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  return Array.from({ length: table.length >>> 3 }, (_, n) => Number(view.getBigUint64(n * 8, true)));
}
