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
  /** 1 for each float above `cut`, else 0, in groups of 16. @returns 1 where any is */
  above(from: number, to: number, groups: number, cut: number): number;
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
