/** The decoder of `@cornerstonejs/codec-openjpeg`, an Emscripten module over OpenJPEG; the package ships no types. */
declare module "@cornerstonejs/codec-openjpeg/decodewasmjs" {
  /** Lives in the module's heap until `delete`. */
  interface J2KDecoder {
    /** Room for the code stream; to be filled before `decode`. */
    getEncodedBuffer(length: number): Uint8Array;
    decode(): void;
    /** A view on the heap: 1 byte a sample up to 8 bits, 2 (little endian) above. */
    getDecodedBuffer(): Uint8Array | Uint8ClampedArray;
    delete(): void;
  }

  interface OpenJpegModule {
    readonly J2KDecoder: new () => J2KDecoder;
  }

  /** Reads the .wasm file that lies beside it. Messages come line by line, as "[ERROR] ...", "[INFO] ...". */
  function createModule(options: {
    readonly print: (line: string) => void;
    readonly printErr: (line: string) => void;
  }): Promise<OpenJpegModule>;
  export = createModule;
}
