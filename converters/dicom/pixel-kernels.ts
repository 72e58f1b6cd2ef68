import binary from "./pixel-kernels.generated.json" with { type: "json" };

/**
 * Loops over pixels in WebAssembly, which takes eight values at a time where JavaScript takes two; all offsets are into
 * `memory`. pixel-kernels.wat is their source.
 */
export interface PixelKernels {
  readonly memory: WebAssembly.Memory;
  /**
   * In place, `bytes` (a multiple of 16) of 16-bit values: ((value & mask) ^ flip) + add.
   * @returns 1 where a sum does not fit 16 bits with a sign, else 0
   */
  addWords(at: number, bytes: number, mask: number, flip: number, add: number): number;
  /**
   * Unpacks the PackBits segment between `from` and `to` into at most `count` bytes at `out`. Reads up to 15 bytes beyond
   * `to` and writes up to 15 beyond `count`.
   * @returns how many bytes it gave
   */
  unpackBits(from: number, to: number, out: number, count: number): number;
  /** `count` pairs of bytes at `out`, one from `low`, one from `high`; reads up to 15 and writes up to 30 too many. */
  pairBytes(low: number, high: number, out: number, count: number): void;
}

/** What kernels may read or write beyond the end. */
export const KERNEL_SLACK = 32;

const PAGE_BYTES = 65536;

let compiled: WebAssembly.Module | undefined;

/** Kernels with a memory of their own. */
export function openPixelKernels(): PixelKernels {
  compiled ??= new WebAssembly.Module(Buffer.from(binary, "base64"));
  return new WebAssembly.Instance(compiled).exports as unknown as PixelKernels;
}

/** The whole memory, of at least `bytes`; good until it is asked for more. */
export function kernelBytes({ memory }: PixelKernels, bytes: number): Uint8Array<ArrayBuffer> {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
  return new Uint8Array(memory.buffer);
}
