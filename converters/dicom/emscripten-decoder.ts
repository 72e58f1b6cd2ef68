import { CorruptFrameError } from "./frame-codec.ts";

/** A decoder class of an Emscripten build of a codec; the object lives in the module's heap until `delete`. */
export interface HeapDecoder {
  /** Room for the encoded bytes; to be filled before `decode`. */
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  /** A view on the heap: 1 byte a sample up to 8 bits, 2 (little endian) above. */
  getDecodedBuffer(): Uint8Array | Uint8ClampedArray;
  delete(): void;
}

/** What a module is made with: it hands over what the codec prints. */
export interface ModuleOptions {
  readonly print: (line: string) => void;
  readonly printErr: (line: string) => void;
}

/** How a codec says that a frame is damaged, but goes on. */
const ERROR = "[ERROR]";

/**
 * A function that decodes one frame into memory that is good until its next call. It throws where the codec does, or
 * prints an error, or gives other than the bytes that are expected. A codec that has thrown leaves its stack as it was
 * then, and is not asked again: all further frames are refused.
 *
 * @param name of the encoding, for messages.
 */
export async function openHeapDecoder(
  name: string,
  createDecoder: (options: ModuleOptions) => Promise<() => HeapDecoder>,
): Promise<(frame: Uint8Array, expectedBytes: number) => Uint8Array> {
  let errors: string[] = [];
  let broken = false;
  let last: HeapDecoder | undefined;
  const create = await createDecoder({
    print: (line) => void (line.startsWith(ERROR) && errors.push(line.slice(ERROR.length).trim())),
    printErr: (line) => void errors.push(line),
  });
  return (frame, expectedBytes) => {
    if (broken) throw new CorruptFrameError(`an earlier ${name} frame was damaged`);
    errors = [];
    try {
      // Only now: what it decoded lies in the heap until its memory is given to another.
      last?.delete();
      last = undefined;
      const decoder = create();
      last = decoder;
      decoder.getEncodedBuffer(frame.length).set(frame);
      decoder.decode();
      const decoded = decoder.getDecodedBuffer();
      if (errors.length > 0 || decoded.length !== expectedBytes) {
        throw new CorruptFrameError(`its ${name} code stream is damaged or cut short (${errors.join("; ")})`);
      }
      return new Uint8Array(decoded.buffer, decoded.byteOffset, decoded.length);
    } catch (cause) {
      if (cause instanceof CorruptFrameError) throw cause;
      broken = true;
      throw new CorruptFrameError(`its ${name} code stream cannot be decoded`, { cause });
    }
  };
}
