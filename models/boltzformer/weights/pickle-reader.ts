/** The bytes are no pickle of protocol 0 to 5, or end too early. */
export class PickleError extends Error {
  override readonly name = "PickleError";
}

/** A pickle's bytes from front to back, little endian but where said otherwise. */
export class PickleReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get position(): number {
    return this.#position;
  }

  uint8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** Not exact beyond 2^53: as a length it is refused anyway. */
  uint64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  /** Big endian, as pickle has it. */
  float64(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** A view. */
  bytes(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  utf8(length: number): string {
    return utf8.decode(this.bytes(length));
  }

  latin1(length: number): string {
    return latin1.decode(this.bytes(length));
  }

  /** Up to a line feed, which is left out. */
  line(): string {
    const end = this.#bytes.indexOf(10, this.#position);
    if (end < 0) throw new PickleError("a line has no end");
    const text = this.utf8(end - this.#position);
    this.#position = end + 1;
    return text;
  }

  decimal(): number {
    const text = this.line();
    if (!/^\d{1,9}$/.test(text)) throw new PickleError("a number is none");
    return Number(text);
  }

  #advance(length: number): number {
    const start = this.#position;
    if (length > this.#bytes.length - start) throw new PickleError(`it ends at byte ${start}, in the middle`);
    this.#position = start + length;
    return start;
  }
}

const utf8 = new TextDecoder();
const latin1 = new TextDecoder("latin1");
