import type { OnReadOpts, Socket } from "node:net";
import type { Patience, Step } from "./patience.ts";

const BUFFER_BYTES = 256 * 1024;

/**
 * What a socket receives, read into one buffer again and again: a chunk is valid until the next one is asked for.
 * Nothing is read while nothing is asked for, so a slow reader slows the sender down.
 */
export class SocketReader implements AsyncIterator<Uint8Array, undefined> {
  /** For `net.connect` or `tls.connect`. */
  readonly onread: OnReadOpts;
  /** What the archive is waited for now. */
  step: Step = "answer";
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  readonly #patience: Patience;
  #socket: Socket | undefined;
  #arrived = 0;
  #ended = false;
  #fault: Error | undefined;
  #wake: () => void = () => {};

  constructor(patience: Patience) {
    this.#patience = patience;
    this.onread = {
      buffer: this.#buffer,
      callback: (bytes) => {
        this.#arrived = bytes;
        this.#wake();
        return false;
      },
    };
  }

  read(socket: Socket): void {
    this.#socket = socket;
    socket.once("end", () => {
      this.#ended = true;
      this.#wake();
    });
    socket.once("close", () => {
      this.#ended = true;
      this.#wake();
    });
    socket.on("error", (error) => {
      this.#fault ??= error;
      this.#wake();
    });
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#arrived === 0 && !this.#ended && !this.#fault) {
      this.#patience.waitFor(this.step);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      this.#socket?.resume();
      await promise;
      this.#patience.rest();
    }
    if (this.#fault) throw this.#fault;
    if (this.#arrived === 0) return { done: true, value: undefined };
    const value = this.#buffer.subarray(0, this.#arrived);
    this.#arrived = 0;
    return { done: false, value };
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#socket?.destroy();
    return { done: true, value: undefined };
  }
}
