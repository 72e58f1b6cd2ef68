/** One answer of one attempt, of any status, its body as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  header(lowerCaseName: string): string | undefined;
  /**
   * A chunk is valid until the next one is asked for. Ending the iteration early closes the socket.
   * @throws PacsTimeoutError, TransientPacsError where the connection breaks, the signal's reason after an abort
   */
  readonly body: AsyncIterable<Uint8Array>;
  discard(): void;
}

/** How one request is sent once. */
export interface Attempt {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string | number>>;
  /** Sent one after the other, as they lie in memory. */
  readonly body?: readonly Uint8Array[] | undefined;
}
