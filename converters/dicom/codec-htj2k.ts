import createOpenJph from "@cornerstonejs/codec-openjph";
import { openHeapDecoder } from "./emscripten-decoder.ts";
import { CorruptFrameError, type DecodeFrame } from "./frame-codec.ts";
import { decodeCodeStream } from "./jpeg2000-frame.ts";

/** A decoder of High-Throughput JPEG 2000 (PS3.5 section A.4.5) over OpenJPH. */
export async function openHtj2k(): Promise<DecodeFrame> {
  const decode = await openHeapDecoder("HTJ2K", async (options) => {
    const { HTJ2KDecoder } = await createOpenJph(options);
    return () => new HTJ2KDecoder();
  });
  const decodeWhole = decodeCodeStream(decode);
  return (frame, shape) => {
    refuseCutShort(frame);
    return decodeWhole(frame, shape);
  };
}

/** OpenJPH decodes what there is of a code stream that was cut short; its last marker is EOC, with padding behind it. */
function refuseCutShort(frame: Uint8Array): void {
  let end = frame.length;
  while (end > 0 && frame[end - 1] === 0) end--;
  if (frame[end - 2] === 0xff && frame[end - 1] === 0xd9) return;
  throw new CorruptFrameError("its HTJ2K code stream is cut short");
}
