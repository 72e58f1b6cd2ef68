import { GrowingBytes } from "./growing-bytes.ts";

export type MessageFault =
  | "truncated"
  | "preamble-too-large"
  | "header-too-large"
  | "malformed-header"
  | "length-mismatch"
  | "part-too-large";

/** Bytes that are not the message, HTTP or multipart, that they should be. */
export class MalformedMessageError extends Error {
  override readonly name = "MalformedMessageError";
  readonly fault: MessageFault;

  constructor(fault: MessageFault) {
    super(`Malformed message: ${fault}`);
    this.fault = fault;
  }
}

/**
 * The bytes of a stream in order, taken by length or by what ends them. A chunk of the stream need not stay what it is
 * when the next one is asked for. Every method throws MalformedMessageError, and as the stream does.
 */
export class ByteInput {
  readonly #source: AsyncIterator<Uint8Array>;
  /** What came and is not taken yet: a view on the last chunk, as a rule. */
  #pending: Buffer;

  constructor(source: AsyncIterator<Uint8Array>, before = Buffer.alloc(0)) {
    this.#source = source;
    this.#pending = before;
  }

  async startsWith(ascii: string): Promise<boolean> {
    await this.#atLeast(ascii.length);
    return this.#pending.toString("latin1", 0, ascii.length) === ascii;
  }

  /** Text up to and without `end`, which is taken too. */
  async takeText(end: string, maxBytes: number): Promise<string> {
    for (;;) {
      const at = this.#pending.indexOf(end);
      if ((at < 0 ? this.#pending.length : at) > maxBytes) throw new MalformedMessageError("header-too-large");
      if (at >= 0) {
        const text = this.#pending.toString("latin1", 0, at);
        this.#drop(at + end.length);
        return text;
      }
      await this.#pull();
    }
  }

  /** At least one byte and at most `maxBytes`, as they lie there, valid until anything else is taken; none at the end. */
  async takeSome(maxBytes: number): Promise<Uint8Array | undefined> {
    while (this.#pending.length === 0) if (!(await this.#more())) return undefined;
    const some = this.#pending.subarray(0, maxBytes);
    this.#drop(some.length);
    return some;
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
      throw new MalformedMessageError("length-mismatch");
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
    const taken = new GrowingBytes();
    for (;;) {
      const { index, found } = this.#find(delimiter);
      if (taken.length + index > maxBytes) throw new MalformedMessageError(fault);
      taken.append(this.#pending.subarray(0, index));
      this.#drop(index);
      if (found) {
        this.#drop(delimiter.length);
        return taken.take();
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
    if (!(await this.#more())) throw new MalformedMessageError("truncated");
  }

  async #more(): Promise<boolean> {
    const kept = Buffer.from(this.#pending);
    const { done, value } = await this.#source.next();
    if (done) {
      this.#pending = kept;
      return false;
    }
    const chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    this.#pending = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
    return true;
  }
}
