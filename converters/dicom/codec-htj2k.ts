import createOpenJph from "@cornerstonejs/codec-openjph";
import { openHeapDecoder } from "./emscripten-decoder.ts";
import type { DecodeFrame } from "./frame-codec.ts";
import { decodeCodeStream } from "./jpeg2000-frame.ts";

/** A decoder of High-Throughput JPEG 2000 (PS3.5 section A.4.5) over OpenJPH. */
export async function openHtj2k(): Promise<DecodeFrame> {
  const decode = await openHeapDecoder("HTJ2K", async (options) => {
    const { HTJ2KDecoder } = await createOpenJph(options);
    return () => new HTJ2KDecoder();
  });
  return decodeCodeStream(decode);
}
