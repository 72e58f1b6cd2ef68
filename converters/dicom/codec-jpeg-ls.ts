import createCharLs from "@cornerstonejs/codec-charls/decodewasmjs";
import { openHeapDecoder } from "./emscripten-decoder.ts";
import { CorruptFrameError, type DecodeFrame, refuseOtherSize, reusableBytes, widenSamples } from "./frame-codec.ts";
import { readJpegSegments } from "./jpeg-segments.ts";

/** A decoder of JPEG-LS, lossless and near-lossless (PS3.5 section A.4.3), over CharLS. */
export async function openJpegLs(): Promise<DecodeFrame> {
  const decode = await openHeapDecoder("JPEG-LS", async (options) => {
    const { JpegLSDecoder } = await createCharLs(options);
    return () => new JpegLSDecoder();
  });
  const room = reusableBytes();
  return (frame, shape) => {
    const image = readJpegSegments(frame);
    if (image.process !== "jpeg-ls") throw new CorruptFrameError("its frame is not a JPEG-LS image");
    refuseOtherSize(image, shape);
    const bytesPerSample = image.bitsPerSample > 8 ? 2 : 1;
    const decoded = decode(ended(frame), image.width * image.height * bytesPerSample);
    return widenSamples(decoded, bytesPerSample, shape.bitsAllocated >> 3, false, room);
  };
}

/**
 * The frame and end markers behind it: CharLS does not look where its input ends, but always stops at a marker. A frame that
 * was cut short would otherwise be read on and on.
 */
function ended(frame: Uint8Array): Uint8Array {
  const longer = new Uint8Array(frame.length + END.length);
  longer.set(frame);
  longer.set(END, frame.length);
  return longer;
}

const END = Uint8Array.from({ length: 64 }, (_, n) => (n % 2 === 0 ? 0xff : 0xd9));
