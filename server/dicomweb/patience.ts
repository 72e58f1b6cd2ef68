import { PacsTimeoutError } from "../domain/errors.ts";

/** How long the archive may take for each step of an exchange. A large transfer that goes on is never cut off. */
export interface Timeouts {
  /** Until a connection stands, TLS included. */
  readonly connectMs: number;
  /** From the sent request to the first byte of the answer. */
  readonly firstByteMs: number;
  /** Between two pieces of a body, in either direction. */
  readonly idleMs: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = { connectMs: 5_000, firstByteMs: 60_000, idleMs: 30_000 };

/** What the archive is waited for. */
export type Step = "connect" | "send" | "answer" | "body";

const LIMIT_OF: Readonly<Record<Step, keyof Timeouts>> = {
  connect: "connectMs",
  send: "idleMs",
  answer: "firstByteMs",
  body: "idleMs",
};

const COMPLAINT: Readonly<Record<Step, string>> = {
  connect: "The archive accepts no connection within",
  send: "The archive stopped taking what is sent to it for",
  answer: "The archive gave no answer for",
  body: "The archive stopped in the middle of its answer for",
};

/** One clock for the step that an exchange waits for now; when it runs out, the exchange is given up. */
export class Patience {
  readonly #timeouts: Timeouts;
  readonly #giveUp: (fault: PacsTimeoutError) => void;
  #timer: NodeJS.Timeout | undefined;
  #fault: PacsTimeoutError | undefined;

  constructor(timeouts: Timeouts, giveUp: (fault: PacsTimeoutError) => void) {
    this.#timeouts = timeouts;
    this.#giveUp = giveUp;
  }

  /** Why the exchange was given up, once it was. */
  get fault(): PacsTimeoutError | undefined {
    return this.#fault;
  }

  waitFor(step: Step): void {
    this.rest();
    const limitMs = this.#timeouts[LIMIT_OF[step]];
    this.#timer = setTimeout(() => {
      this.#fault = new PacsTimeoutError(
        `${COMPLAINT[step]} ${limitMs / 1000} s: try again, and check the archive's load and the network.`,
      );
      this.#giveUp(this.#fault);
    }, limitMs);
  }

  /** Nothing is expected of the archive now. */
  rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
