import { ToChild } from "../protocol.ts";

/** What the server sends, in order. `took` is not queued: it only lets the outbox go on. */
export class Inbox {
  readonly #messages: ToChild[] = [];
  #reader: ((message: ToChild) => void) | undefined;

  constructor(onTook: () => void) {
    process.on("message", (data) => {
      const message = ToChild.parse(data);
      if (message.kind === "took") onTook();
      else if (this.#reader) {
        this.#reader(message);
        this.#reader = undefined;
      } else this.#messages.push(message);
    });
  }

  /** The next message, which has to be of this kind: anything else is a fault of the protocol, and ends the process. */
  async expect<K extends ToChild["kind"]>(kind: K): Promise<Extract<ToChild, { kind: K }>> {
    const message =
      this.#messages.shift() ??
      (await new Promise<ToChild>((resolve) => {
        this.#reader = resolve;
      }));
    if (message.kind !== kind) throw new Error(`"${message.kind}" came instead of "${kind}"`);
    return message as Extract<ToChild, { kind: K }>;
  }
}
