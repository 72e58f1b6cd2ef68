import { CorruptFrameError, type DecodeFrame, refuseOtherSize, reusableBytes, widenSamples } from "./frame-codec.ts";
import { decodeDctJpeg } from "./jpeg-dct.ts";
import { decodeLosslessJpeg } from "./jpeg-lossless.ts";
import { readJpegSegments } from "./jpeg-segments.ts";

/**
 * A decoder of JPEG (ITU-T T.81): baseline and extended sequential, lossless. Which of them a frame is, it says itself:
 * transfer syntaxes are sometimes mixed up.
 */
export function openJpeg(): DecodeFrame {
  const samplesRoom = reusableBytes();
  const entropyRoom = reusableBytes();
  const wideRoom = reusableBytes();
  return (frame, shape) => {
    const image = readJpegSegments(frame);
    refuseOtherSize(image, shape);
    const count = image.width * image.height;
    const bytesPerSample = image.process === "dct" && image.bitsPerSample === 8 ? 1 : 2;
    const bytes = samplesRoom(count * bytesPerSample);
    const words = () => new Uint16Array(bytes.buffer, bytes.byteOffset, count);
    if (image.process === "lossless") decodeLosslessJpeg(frame, image, words(), entropyRoom);
    else if (image.process === "dct") decodeDctJpeg(frame, image, bytesPerSample === 1 ? bytes : words(), entropyRoom);
    else throw new CorruptFrameError("its frame is JPEG-LS under the name of another transfer syntax");
    return fitted(bytes, bytesPerSample, shape.bitsAllocated >> 3, wideRoom);
  };
}

/** Lossless samples of up to 8 bits were decoded to 16. */
function fitted(bytes: Uint8Array, from: number, to: number, room: (bytes: number) => Uint8Array): Uint8Array {
  if (from <= to) return widenSamples(bytes, from, to, false, room);
  const narrow = room(bytes.length / from);
  for (let n = 0; n < narrow.length; n++) narrow[n] = bytes[n * from]!;
  return narrow;
}
