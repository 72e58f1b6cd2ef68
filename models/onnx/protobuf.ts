/**
 * One protobuf message under construction: a list of byte chunks and their sum, so that gigabytes of tensor data are
 * referred to and never copied. Wire format: https://protobuf.dev/programming-guides/encoding/
 */
export class Message {
  readonly #chunks: Uint8Array[] = [];
  #byteLength = 0;

  get byteLength(): number {
    return this.#byteLength;
  }

  /** The message's bytes, in order. Chunks are views on what was given. */
  chunks(): readonly Uint8Array[] {
    return this.#chunks;
  }

  /** Wire type 0, of a whole number in the range of int64. */
  int(field: number, value: number | bigint): this {
    return this.#push([varint(field * 8), varint(value)]);
  }

  /** Wire type 5. */
  float(field: number, value: number): this {
    return this.#push([varint(field * 8 + 5), new Uint8Array(Float32Array.of(value).buffer)]);
  }

  /** Wire type 2. The bytes are referred to, not copied. */
  bytes(field: number, value: Uint8Array): this {
    return this.#push([varint(field * 8 + 2), varint(value.byteLength), value]);
  }

  string(field: number, value: string): this {
    return this.bytes(field, encoder.encode(value));
  }

  /** Wire type 2, of a message that is complete: what is added to it later is not seen. */
  message(field: number, value: Message): this {
    return this.#push([varint(field * 8 + 2), varint(value.byteLength)]).#push(value.chunks());
  }

  #push(chunks: readonly Uint8Array[]): this {
    for (const chunk of chunks) {
      this.#chunks.push(chunk);
      this.#byteLength += chunk.byteLength;
    }
    return this;
  }
}

const encoder = new TextEncoder();

/** Base-128, least significant group first; a negative number as its 64-bit two's complement. */
function varint(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const groups: number[] = [];
  do {
    const group = Number(rest & 127n);
    rest >>= 7n;
    groups.push(rest === 0n ? group : group | 128);
  } while (rest !== 0n);
  return Uint8Array.from(groups);
}
