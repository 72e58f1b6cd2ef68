export type MultipartFault =
  | "truncated"
  | "preamble-too-large"
  | "header-too-large"
  | "malformed-header"
  | "length-mismatch"
  | "part-too-large";

/** The body is not the multipart message that its Content-Type announces. */
export class MultipartError extends Error {
  override readonly name = "MultipartError";
  readonly fault: MultipartFault;

  constructor(fault: MultipartFault) {
    super(`Malformed multipart body: ${fault}`);
    this.fault = fault;
  }
}

const HEADER_BLOCK_END = "\r\n\r\n";

/** The bytes of a stream in order, taken by length or by what ends them. Every method throws MultipartError. */
export class ByteInput {
  readonly #source: AsyncIterator<Uint8Array>;
  /** What came and is not taken yet: a view on the last chunk, as a rule. */
  #pending: Buffer;

  constructor(source: AsyncIterator<Uint8Array>, before: Buffer) {
    this.#source = source;
    this.#pending = before;
  }

  async startsWith(ascii: string): Promise<boolean> {
    await this.#atLeast(ascii.length);
    return this.#pending.toString("latin1", 0, ascii.length) === ascii;
  }

  /** Text up to and without the empty line, which is taken too. */
  async takeHeaderBlock(maxBytes: number): Promise<string> {
    for (;;) {
      const end = this.#pending.indexOf(HEADER_BLOCK_END);
      if (Math.max(end, end < 0 ? this.#pending.length : 0) > maxBytes) throw new MultipartError("header-too-large");
      if (end >= 0) {
        const block = this.#pending.toString("latin1", 0, end);
        this.#drop(end + HEADER_BLOCK_END.length);
        return block;
      }
      await this.#pull();
    }
  }

  /** `length` bytes, and the delimiter that must follow them, which is not part of the answer. */
  async takeExactly(length: number, delimiter: Buffer): Promise<Uint8Array> {
    const taken = Buffer.allocUnsafeSlow(length);
    for (let filled = 0; ; ) {
      const copied = this.#pending.copy(taken, filled, 0, length - filled);
      this.#drop(copied);
      filled += copied;
      if (filled === length) break;
      await this.#pull();
    }
    await this.#atLeast(delimiter.length);
    if (this.#pending.compare(delimiter, 0, delimiter.length, 0, delimiter.length) !== 0) {
      throw new MultipartError("length-mismatch");
    }
    this.#drop(delimiter.length);
    return new Uint8Array(taken.buffer, taken.byteOffset, length);
  }

  /** The bytes before the next delimiter, which is taken too. */
  async takeUntil(
    delimiter: Buffer,
    maxBytes: number,
    fault: "part-too-large" | "preamble-too-large",
  ): Promise<Uint8Array> {
    let taken = Buffer.allocUnsafeSlow(0);
    let length = 0;
    for (;;) {
      const { index, found } = this.#find(delimiter);
      if (length + index > maxBytes) throw new MultipartError(fault);
      taken = withRoom(taken, length, index);
      length += this.#pending.copy(taken, length, 0, index);
      this.#drop(index);
      if (found) {
        this.#drop(delimiter.length);
        return new Uint8Array(taken.subarray(0, length));
      }
      await this.#pull();
    }
  }

  /** Where the delimiter stands, or up to where it certainly does not. */
  #find(delimiter: Buffer): { readonly index: number; readonly found: boolean } {
    for (let from = 0; ; ) {
      const index = this.#pending.indexOf(delimiter, from);
      if (index < 0) return { index: Math.max(0, this.#pending.length - delimiter.length + 1), found: false };
      const next = this.#pending.toString("latin1", index + delimiter.length, index + delimiter.length + 2);
      if (next.length < 2) return { index, found: false };
      // Otherwise it is data, or the delimiter of an inner message whose boundary begins like ours.
      if (next === "\r\n" || next === "--" || /^[ \t]/.test(next)) return { index, found: true };
      from = index + 1;
    }
  }

  async #atLeast(bytes: number): Promise<void> {
    while (this.#pending.length < bytes) await this.#pull();
  }

  #drop(bytes: number): void {
    this.#pending = this.#pending.subarray(bytes);
  }

  async #pull(): Promise<void> {
    const { done, value } = await this.#source.next();
    if (done) throw new MultipartError("truncated");
    const chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
  }
}

/** One growing buffer, not a list of pieces: a sender of tiny chunks costs time, and no memory. */
function withRoom(buffer: Buffer<ArrayBuffer>, length: number, more: number): Buffer<ArrayBuffer> {
  if (length + more <= buffer.length) return buffer;
  const larger = Buffer.allocUnsafeSlow(Math.max(length + more, 2 * buffer.length));
  buffer.copy(larger, 0, 0, length);
  return larger;
}
