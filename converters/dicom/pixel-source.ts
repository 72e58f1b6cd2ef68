import type { Encoding } from "./element-header.ts";
import { CorruptFrameError } from "./frame-codec.ts";
import type { FetchFrame } from "./image-frame.ts";
import type { InstanceSource } from "./instance-source.ts";
import { readDataSet } from "./read-data-set.ts";
import { readable } from "./readable.ts";

/** Where Pixel Data (7FE0,0010) lies in an instance of which only the beginning was read. */
export type PixelSource =
  | { readonly kind: "native"; readonly source: InstanceSource; readonly start: number; readonly length: number }
  /** The fragments of a single frame; `start` is the element's. */
  | {
      readonly kind: "encapsulated";
      readonly source: InstanceSource;
      readonly start: number;
      readonly encoding: Encoding;
    };

/**
 * How to fetch each frame.
 *
 * @param bytesPerFrame of uncompressed frames
 * @throws CorruptFrameError where the pixel data is not that of `count` frames
 */
export function fetchedFrames(pixels: PixelSource, count: number, bytesPerFrame: number): readonly FetchFrame[] {
  const { source, start } = pixels;
  if (pixels.kind === "encapsulated") return [(room) => fetchFragments(pixels, room(source.length - start))];
  if (pixels.length < count * bytesPerFrame) {
    throw new CorruptFrameError(`${pixels.length} bytes where its size asks for ${count * bytesPerFrame}`);
  }
  return Array.from({ length: count }, (_, n) => async (room) => {
    const bytes = room(bytesPerFrame);
    await source.read(bytes, start + n * bytesPerFrame);
    return [bytes];
  });
}

async function fetchFragments(
  { source, start, encoding }: Extract<PixelSource, { kind: "encapsulated" }>,
  bytes: Uint8Array,
): Promise<readonly Uint8Array[]> {
  await source.read(bytes, start);
  const { pixelData } = readable(() => readDataSet(bytes, 0, encoding));
  return pixelData !== undefined && "fragments" in pixelData ? pixelData.fragments : [];
}
