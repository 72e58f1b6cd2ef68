import type { FromChild, PackedPlane } from "../protocol.ts";

/** Messages of planes that may wait for their reader: results never pile up on the other side. */
const mostUnread = 8;

/** Sends to the server, waiting until the pipe has taken each message, and until planes are read. */
export class Outbox {
  #unread = 0;
  #resume: (() => void) | undefined;

  send(message: FromChild): Promise<void> {
    return new Promise((resolve, reject) => {
      process.send?.(message, undefined, {}, (error) => (error ? reject(error) : resolve()));
    });
  }

  async planes(planes: readonly PackedPlane[]): Promise<void> {
    if (planes.length === 0) return;
    while (this.#unread >= mostUnread) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
    }
    this.#unread++;
    await this.send({ kind: "planes", planes: [...planes] });
  }

  /** The server has consumed one message of planes. */
  took(): void {
    this.#unread--;
    this.#resume?.();
    this.#resume = undefined;
  }

  /** Nothing of an earlier run counts any more. */
  startRun(): void {
    this.#unread = 0;
  }
}
