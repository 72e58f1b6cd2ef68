/** Where a tensor's values lie in its file: float32, little endian, C order, without gaps. */
export interface StoredTensor {
  readonly shape: readonly number[];
  /** Bytes from the start of the file. */
  readonly offset: number;
}
