import { CorruptFrameError, type DecodeFrame, refuseOtherSize, reusableBytes, widenSamples } from "./frame-codec.ts";
import { refuseCutCodeStream } from "./jpeg2000-end.ts";
import { jpeg2000Size } from "./jpeg2000-size.ts";

/** Each tile costs memory before it is decoded; 4096 are enough for tiles of 64x64 in the largest slice. */
const MAX_TILES = 4096;

/** A JPEG 2000 decoder, with or without high throughput, made of what decodes a code stream that says the right size. */
export function decodeCodeStream(decode: (frame: Uint8Array, expectedBytes: number) => Uint8Array): DecodeFrame {
  const room = reusableBytes();
  return (frame, shape) => {
    const size = jpeg2000Size(frame);
    refuseOtherSize(size, shape);
    if (size.tiles > MAX_TILES) throw new CorruptFrameError(`its JPEG 2000 code stream declares ${size.tiles} tiles`);
    refuseCutCodeStream(frame, size);
    const bytesPerSample = size.bitsPerSample > 8 ? 2 : 1;
    const decoded = decode(frame, size.width * size.height * bytesPerSample);
    return widenSamples(decoded, bytesPerSample, shape.bitsAllocated >> 3, size.signed, room);
  };
}
