/**
 * Bytes of unknown number, collected in one buffer that doubles: a sender of tiny pieces costs time, and no memory
 * beyond twice what it sends.
 */
export class GrowingBytes {
  #buffer = Buffer.allocUnsafeSlow(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): void {
    const needed = this.#length + bytes.length;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = needed;
  }

  /** What was collected, alone in a buffer of its own size. */
  take(): Uint8Array<ArrayBuffer> {
    const { buffer, byteLength } = this.#buffer;
    return byteLength === this.#length
      ? new Uint8Array(buffer, 0, this.#length)
      : new Uint8Array(this.#buffer.subarray(0, this.#length));
  }
}
