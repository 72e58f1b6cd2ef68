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
    const decoded = decode(frame, image.width * image.height * bytesPerSample);
    return widenSamples(decoded, bytesPerSample, shape.bitsAllocated >> 3, false, room);
  };
}
