import binary from "./resize-kernels.generated.json" with { type: "json" };

/**
 * Loops of a resize with four taps, in WebAssembly; all offsets are into `memory`, all counts of groups at least 1.
 * resize-kernels.wat is their source. They round as the same sums in JavaScript: in whole numbers, or to float32 after each step.
 */
export interface ResizeKernels {
  readonly memory: WebAssembly.Memory;
  /** One row of bytes to groups of 4: each group has 4 offsets (i32) and 4 x 4 weights (i16) in `taps`. */
  alongRow8(from: number, to: number, taps: number, groups: number, precision: number): void;
  /** Groups of 16 bytes of four rows. @param weightsAB two i16, the first in the low half */
  acrossRows8(
    a: number,
    b: number,
    c: number,
    d: number,
    to: number,
    groups: number,
    weightsAB: number,
    weightsCD: number,
    precision: number,
  ): void;
  /** One row of floats to groups of 4: each group has 4 offsets in bytes (i32) and 4 x 4 weights (f32) in `taps`. */
  alongRow32(from: number, to: number, taps: number, groups: number): void;
  /** Groups of 4 floats of four rows. */
  acrossRows32(
    a: number,
    b: number,
    c: number,
    d: number,
    to: number,
    groups: number,
    wa: number,
    wb: number,
    wc: number,
    wd: number,
  ): void;
  /**
   * Of four rows of floats, in groups of 4 columns: the columns where what is upsampled from there and the next three may be above
   * `cut`, as (last << 16) + first; -1 where there are none. `highest` and `lowest` are room for a row each, with 16 bytes of -Infinity
   * and of Infinity behind it. @param overshoot how far beyond its range a cubic may go, in ranges
   */
  reach(
    a: number,
    b: number,
    c: number,
    d: number,
    highest: number,
    lowest: number,
    groups: number,
    overshoot: number,
    cut: number,
  ): number;
  /** A bit for each float, least first: whether it is above `cut`; in groups of 16. */
  bitsAbove(from: number, to: number, groups: number, cut: number): void;
  /** A bit for each number (i32): whether it is `one`; in groups of 16. */
  bitsEqual(from: number, to: number, groups: number, one: number): void;
  /** 0 or 1 for each bit, in groups of 16. */
  bytesOfBits(from: number, to: number, groups: number): void;
  /** In groups of 128 bits. @returns how many are 1 in both */
  commonBits(a: number, b: number, groups: number): number;
  /** Adds bits to `once`, and those that were there already to `again`, in groups of 128. @returns 1 where any was */
  addBits(bits: number, once: number, again: number, groups: number): number;
  /**
   * Where logits are above `cut` and more probable than the `best` so far (f32; -Infinity for none) they become the best, and
   * the label (i32) is theirs; in groups of 4. @returns 1 where two are too near to each other to be told apart without the
   * exponential: those are left as they were
   */
  contend(from: number, best: number, labels: number, groups: number, cut: number, label: number): number;
  /** Grey levels of `count` logits: see probability-grey.ts for the two tables. */
  greys(
    from: number,
    to: number,
    count: number,
    first: number,
    last: number,
    limit: number,
    stepsPerLogit: number,
  ): void;
}

const PAGE_BYTES = 65536;

let compiled: WebAssembly.Module | undefined;

/** Kernels with a memory of their own, of at least so many bytes; it never moves. */
export function openResizeKernels(bytes: number): ResizeKernels {
  compiled ??= new WebAssembly.Module(Buffer.from(binary, "base64"));
  const kernels = new WebAssembly.Instance(compiled).exports as unknown as ResizeKernels;
  const missing = bytes - kernels.memory.buffer.byteLength;
  if (missing > 0) kernels.memory.grow(Math.ceil(missing / PAGE_BYTES));
  return kernels;
}

/** Where parts of a memory begin, one after the other, on multiples of 16 and 16 bytes apart: vectors read that far beyond. */
export function layOut<Part extends string>(
  parts: Readonly<Record<Part, number>>,
): Readonly<Record<Part, number>> & { readonly end: number } {
  let end = 0;
  const starts = Object.entries<number>(parts).map(([part, bytes]) => {
    const start = end;
    end += roundUp(bytes, 16) + 16;
    return [part, start];
  });
  return { ...(Object.fromEntries(starts) as Record<Part, number>), end };
}

export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
