import type { ExternalData } from "../onnx/tensor.ts";
import type { ByteSource } from "./weights/byte-source.ts";

interface Placed {
  readonly from: ExternalData;
  readonly as: "half" | "float";
  readonly offset: number;
  readonly length: number;
}

/** Half-precision numbers; TypeScript's library does not know them yet. */
declare const Float16Array: new (values: Float32Array) => { readonly buffer: ArrayBuffer };

/** Float32 to the nearest float16, as bytes. */
export function halvesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(new Float16Array(values).buffer);
}

/** Where the tensors of a weights file lie in the file that is derived from it; each range once, as often as it is used. */
export class HalfWeights {
  readonly #file: string;
  readonly #placed = new Map<string, Placed>();
  #end = 0;

  /** @param file name of the derived file, beside the graphs */
  constructor(file: string) {
    this.#file = file;
  }

  /** The same float32 numbers in the derived file, halved or as they are. */
  place(from: ExternalData, as: "half" | "float"): ExternalData {
    const key = `${as} ${from.offset} ${from.length}`;
    const length = as === "half" ? from.length / 2 : from.length;
    const placed = this.#placed.get(key) ?? { from, as, offset: this.#end, length };
    if (!this.#placed.has(key)) this.#end += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
    this.#placed.set(key, placed);
    return { location: this.#file, offset: placed.offset, length };
  }

  /** The derived file's bytes, one tensor at a time. */
  async *bytes(source: ByteSource): AsyncGenerator<Uint8Array> {
    for (const { from, as, length } of this.#placed.values()) {
      const bytes = await source.read(from.offset, from.length);
      yield as === "float" ? bytes : halvesOf(new Float32Array(bytes.buffer, bytes.byteOffset, from.length / 4));
      yield new Uint8Array(Math.ceil(length / ALIGNMENT) * ALIGNMENT - length);
    }
  }
}

const ALIGNMENT = 64;
