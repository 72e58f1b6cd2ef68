/**
 * Decoders of the `@cornerstonejs` codecs: Emscripten modules that read the .wasm file beside them and live in a heap of
 * their own. Messages come line by line. The packages ship no types.
 */
declare module "@cornerstonejs/codec-openjpeg/decodewasmjs" {
  import type { HeapDecoder, ModuleOptions } from "#converters/dicom/emscripten-decoder.ts";

  function createModule(options: ModuleOptions): Promise<{ readonly J2KDecoder: new () => HeapDecoder }>;
  export = createModule;
}

declare module "@cornerstonejs/codec-openjph" {
  import type { HeapDecoder, ModuleOptions } from "#converters/dicom/emscripten-decoder.ts";

  function createModule(options: ModuleOptions): Promise<{ readonly HTJ2KDecoder: new () => HeapDecoder }>;
  export = createModule;
}

declare module "@cornerstonejs/codec-charls/decodewasmjs" {
  import type { HeapDecoder, ModuleOptions } from "#converters/dicom/emscripten-decoder.ts";

  function createModule(options: ModuleOptions): Promise<{ readonly JpegLSDecoder: new () => HeapDecoder }>;
  export = createModule;
}
