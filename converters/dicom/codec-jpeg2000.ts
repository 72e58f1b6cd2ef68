import createOpenJpeg from "@cornerstonejs/codec-openjpeg/decodewasmjs";
import { openHeapDecoder } from "./emscripten-decoder.ts";
import type { DecodeFrame } from "./frame-codec.ts";
import { decodeCodeStream } from "./jpeg2000-frame.ts";

/**
 * A JPEG 2000 decoder (PS3.5 section A.4.4) over OpenJPEG. Its WebAssembly build takes half the time of the plain
 * JavaScript one (28 against 55 ms for a slice of 512x512); the package itself loads the .wasm file beside its code.
 */
export async function openJpeg2000(): Promise<DecodeFrame> {
  const decode = await openHeapDecoder("JPEG 2000", async (options) => {
    const { J2KDecoder } = await createOpenJpeg(options);
    return () => new J2KDecoder();
  });
  return decodeCodeStream(decode);
}
