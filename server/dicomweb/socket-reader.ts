import type { OnReadOpts, Socket } from "node:net";
import type { Patience, Step } from "./patience.ts";

const BUFFERS = 4;
const BUFFER_BYTES = 256 * 1024;

/**
 * What a socket receives, read into the same few buffers again and again: a chunk is valid until the next one is asked
 * for. Reading stops while all of them are full, so a slow reader slows the sender down.
 */
export class SocketReader implements AsyncIterator<Uint8Array, undefined> {
  /** For `net.connect`; a TLS socket does not stop where it is told to, and would write over what is unread. */
  readonly onread: OnReadOpts;
  /** What the archive is waited for now. */
  step: Step = "answer";
  readonly #patience: Patience;
  readonly #ring = Array.from({ length: BUFFERS }, () => Buffer.allocUnsafeSlow(BUFFER_BYTES));
  readonly #lengths = new Array<number>(BUFFERS).fill(0);
  /** The next buffer to fill, and how many before it are full; the first of those may be with the reader. */
  #next = 0;
  #full = 0;
  #lent = false;
  #stopped = false;
  #socket: Socket | undefined;
  #ended = false;
  #fault: Error | undefined;
  #wake: () => void = () => {};

  constructor(patience: Patience) {
    this.#patience = patience;
    this.onread = {
      buffer: () => this.#ring[this.#next] as Buffer,
      callback: (bytes) => {
        this.#lengths[this.#next] = bytes;
        this.#next = (this.#next + 1) % BUFFERS;
        this.#full++;
        this.#wake();
        this.#stopped = this.#full === BUFFERS;
        return !this.#stopped;
      },
    };
  }

  read(socket: Socket): void {
    this.#socket = socket;
    socket.once("end", () => this.#end());
    socket.once("close", () => this.#end());
    socket.on("error", (error) => {
      this.#fault ??= error;
      this.#wake();
    });
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#takeBack();
    if (this.#full === 0 && !this.#ended && !this.#fault) {
      this.#patience.waitFor(this.step);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
      this.#patience.rest();
    }
    if (this.#fault) throw this.#fault;
    if (this.#full === 0) return { done: true, value: undefined };
    this.#lent = true;
    const oldest = (this.#next + BUFFERS - this.#full) % BUFFERS;
    return { done: false, value: (this.#ring[oldest] as Buffer).subarray(0, this.#lengths[oldest]) };
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#socket?.destroy();
    return { done: true, value: undefined };
  }

  #takeBack(): void {
    if (!this.#lent) return;
    this.#lent = false;
    this.#full--;
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#socket?.resume();
  }

  #end(): void {
    this.#ended = true;
    this.#wake();
  }
}
