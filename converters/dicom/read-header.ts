import { UnsupportedImageError } from "../errors.ts";
import { firstNumber } from "./data-set.ts";
import { UNDEFINED_LENGTH } from "./element-header.ts";
import type { InstanceSource } from "./instance-source.ts";
import type { PixelSource } from "./pixel-source.ts";
import { type DicomFile, readBeforePixels, readPart10 } from "./read-part10.ts";
import { readable } from "./readable.ts";
import { type RepeatedElements, repeatedElements } from "./repeated-elements.ts";
import { isNative } from "./transfer-syntax.ts";

/** A file whose pixels are in memory, or still where they came from, or that has none. */
export interface SourcedFile extends DicomFile {
  readonly pixelSource?: PixelSource;
}

/** How much of an instance is read at once in search of its Pixel Data; beyond the last, all of it. */
const BEGINNINGS = [16 * 1024, 256 * 1024];

/** Headers are kept one behind the other in blocks of this size: memory that is asked for anew is slow to write. */
const BLOCK_BYTES = 1024 * 1024;

/** A reader of the headers of instances, one after the other; their pixels stay where they are, where that can be. It throws InstanceFault. */
export function openHeaderReader(): (source: InstanceSource) => Promise<SourcedFile> {
  const repeated = repeatedElements();
  let block = new Uint8Array(0);
  const room = (bytes: number) => {
    if (block.length < bytes) block = new Uint8Array(Math.max(bytes, BLOCK_BYTES));
    return block.subarray(0, bytes);
  };
  return async (source) => {
    for (const length of BEGINNINGS) {
      if (length >= source.length) break;
      const beginning = room(length);
      await source.read(beginning, 0);
      const file = headerIn(beginning, source, repeated);
      // What was read stays where it is: elements that are repeated are compared with it.
      block = block.subarray(file?.pixelSource.start ?? length);
      if (file !== undefined) return file;
    }
    const whole = new Uint8Array(source.length);
    await source.read(whole, 0);
    return readable(() => readPart10(whole));
  };
}

/** The header, where `beginning` holds all of it and each frame of the pixels can be fetched by itself. */
function headerIn(
  beginning: Uint8Array,
  source: InstanceSource,
  repeated: RepeatedElements,
): (SourcedFile & { readonly pixelSource: PixelSource }) | undefined {
  try {
    const found = readBeforePixels(beginning, source.length, repeated);
    if (found === undefined) return undefined;
    const { pixels, encoding, ...file } = found;
    if (isNative(file.transferSyntaxUid)) {
      if (pixels.length === UNDEFINED_LENGTH) return undefined;
      const { value: start, length } = pixels;
      return { ...file, pixelSource: { kind: "native", source, start, length } };
    }
    const frames = firstNumber(file.dataSet, "NumberOfFrames") ?? 1;
    if (pixels.length !== UNDEFINED_LENGTH || frames !== 1) return undefined;
    return { ...file, pixelSource: { kind: "encapsulated", source, start: pixels.element, encoding } };
  } catch (cause) {
    // It may be cut short here only: the whole file is asked.
    if (cause instanceof UnsupportedImageError) return undefined;
    throw cause;
  }
}
