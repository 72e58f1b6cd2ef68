/** An instance whose bytes are fetched where they are needed: a file that was not read yet. */
export interface InstanceSource {
  /** How many bytes it has. */
  readonly length: number;
  /** Fills `into` with the bytes from `start` on; there are as many. Must not change what it gives. */
  read(into: Uint8Array, start: number): Promise<void>;
}
