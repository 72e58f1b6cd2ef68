import type { PlaneSize } from "./bicubic.ts";
import { type CubicTaps, renormalisedTaps } from "./cubic-taps.ts";
import { layOut, openResizeKernels, type ResizeKernels, roundUp } from "./resize-kernels.ts";

/** Rows of logits that are upsampled bicubically, with antialias, as they are asked for: in the kernels' memory, groups of 16 pixels. */
export interface UpsampledRows {
  readonly kernels: ResizeKernels;
  /** Where the row is that was made last (f32), and where memory of the caller's own begins. */
  readonly at: { readonly row: number; readonly room: number };
  /** Of a row; what is beyond its end in the last one is not of the plane. */
  readonly groups: number;
  /** Takes the plane that is asked about until the next one. */
  load(logits: Float32Array): void;
  /** No other groups will be asked for: less has to be made. */
  narrow(first: number, end: number): void;
  make(y: number, first: number, end: number): void;
  /** Makes each row's groups from the first to the last one that may have a logit above `cut`, from the top down. */
  eachAbove(cut: number, take: (y: number, first: number, end: number) => void): void;
}

/**
 * As PyTorch upsamples logits, along the rows and then along the columns, in float32.
 * @param roomBytes of the caller's own, in the same memory
 * @throws RangeError where the new size is smaller: antialias would need a wider filter
 */
export function openUpsampledRows(
  [width, height]: PlaneSize,
  [newWidth, newHeight]: PlaneSize,
  roomBytes: number,
): UpsampledRows {
  if (newWidth < width || newHeight < height) {
    throw new RangeError(`cannot upsample ${width}x${height} to ${newWidth}x${newHeight}`);
  }
  const stride = roundUp(newWidth, GROUP);
  const groups = stride / GROUP;
  const at = layOut({
    taps: TAPS_BYTES * (stride / 4),
    plane: 4 * width * height,
    rows: 4 * stride * height,
    row: 4 * stride,
    highest: 4 * width + 16,
    lowest: 4 * width + 16,
    room: roomBytes,
  });
  const kernels = openResizeKernels(at.end);
  const { buffer } = kernels.memory;
  const plane = new Float32Array(buffer, at.plane, width * height);
  const across = renormalisedTaps(width, newWidth);
  const down = renormalisedTaps(height, newHeight);
  writeTaps(new DataView(buffer, at.taps), across, width, newWidth);
  new Float32Array(buffer, at.highest + 4 * width, 4).fill(-Infinity);
  new Float32Array(buffer, at.lowest + 4 * width, 4).fill(Infinity);
  const beyond = { across: overshootOf(across), down: overshootOf(down) };
  const overshoot = beyond.across + beyond.down * (1 + 2 * beyond.across);
  /** The kernel reads whole groups of columns, and counts them in 16 bits. */
  const isBounded = width % 4 === 0 && width < 2 ** 16;
  const groupsFrom = groupsByColumn(across, width, newWidth);
  /** Rows along which the plane is upsampled already. */
  const isMade = new Uint8Array(height);
  const firsts = new Int32Array(newHeight);
  const ends = new Int32Array(newHeight);
  let [from, to] = [0, groups];

  function narrow(first: number, end: number): void {
    [from, to] = [first, end];
    isMade.fill(0);
  }

  /** Where the upsampled row lies of the plane's own row. */
  function along(y: number): number {
    const start = at.rows + 4 * stride * y;
    if (isMade[y] === 0) {
      const taps = at.taps + TAPS_BYTES * 4 * from;
      kernels.alongRow32(at.plane + 4 * width * y, start + 64 * from, taps, 4 * (to - from));
      isMade[y] = 1;
    }
    return start;
  }

  function make(y: number, first: number, end: number): void {
    const { indices, weights } = down;
    const t = 4 * y;
    const skip = 64 * first;
    kernels.acrossRows32(
      along(indices[t]!) + skip,
      along(indices[t + 1]!) + skip,
      along(indices[t + 2]!) + skip,
      along(indices[t + 3]!) + skip,
      at.row + skip,
      4 * (end - first),
      weights[t]!,
      weights[t + 1]!,
      weights[t + 2]!,
      weights[t + 3]!,
    );
  }

  /** The groups of row y that may be above. */
  function reach(y: number, cut: number): readonly [first: number, end: number] {
    const row = (n: number) => at.plane + 4 * width * Math.min(down.indices[4 * y]! + n, height - 1);
    const columns = kernels.reach(row(0), row(1), row(2), row(3), at.highest, at.lowest, width / 4, overshoot, cut);
    return columns < 0 ? [0, 0] : [groupsFrom.first[columns & 0xffff]!, groupsFrom.end[columns >>> 16]!];
  }

  return {
    kernels,
    at,
    groups,
    narrow,
    make,
    load(logits) {
      plane.set(logits.length === plane.length ? logits : logits.subarray(0, plane.length));
      narrow(0, groups);
    },
    eachAbove(cut, take) {
      let [least, most] = [groups, 0];
      for (let y = 0; y < newHeight; y++) {
        const isSame = y > 0 && down.indices[4 * y] === down.indices[4 * y - 4];
        const [first, end] = isSame ? [firsts[y - 1]!, ends[y - 1]!] : isBounded ? reach(y, cut) : [0, groups];
        [firsts[y], ends[y]] = [first, end];
        if (first >= end) continue;
        least = Math.min(least, first);
        most = Math.max(most, end);
      }
      if (least >= most) return;
      narrow(least, most);
      for (let y = 0; y < newHeight; y++) {
        const [first, end] = [firsts[y]!, ends[y]!];
        if (first >= end) continue;
        make(y, first, end);
        take(y, first, end);
      }
    },
  };
}

/** Pixels that are looked at together. */
export const GROUP = 16;

/** Of four outputs: 4 offsets and 4 x 4 weights. */
const TAPS_BYTES = 16 + 64;

/** Taps as the kernel reads them: four neighbours from an offset in bytes on, in groups of 4 outputs; the last one is repeated. */
function writeTaps(view: DataView, { indices, weights }: CubicTaps, from: number, to: number): void {
  for (let n = 0; n < roundUp(to, GROUP); n++) {
    const t = 4 * Math.min(n, to - 1);
    const group = Math.floor(n / 4) * TAPS_BYTES;
    const first = Math.min(indices[t]!, Math.max(0, from - 4));
    view.setInt32(group + 4 * (n % 4), 4 * first, true);
    for (let tap = t; tap < t + 4; tap++) {
      const place = group + 16 + 16 * (n % 4) + 4 * (indices[tap]! - first);
      if (weights[tap] !== 0) view.setFloat32(place, weights[tap]!, true);
    }
  }
}

/** How far an output can lie outside the range of its inputs, in ranges: its weights sum to 1, and some are negative. */
function overshootOf({ weights }: CubicTaps): number {
  let most = 0;
  for (let t = 0; t < weights.length; t += 4) {
    let below = 0;
    for (let n = t; n < t + 4; n++) below -= Math.min(0, weights[n]!);
    most = Math.max(most, below);
  }
  return most;
}

/** Of each column, the groups from the first pixel that reads from there or further on, and to the last that reads from there or before. */
function groupsByColumn({ indices }: CubicTaps, width: number, newWidth: number) {
  const first = new Int32Array(width).fill(Math.ceil(newWidth / GROUP));
  const end = new Int32Array(width);
  for (let x = newWidth - 1; x >= 0; x--) first[indices[4 * x]!] = Math.floor(x / GROUP);
  for (let x = 0; x < newWidth; x++) end[indices[4 * x]!] = Math.floor(x / GROUP) + 1;
  for (let c = width - 2; c >= 0; c--) first[c] = Math.min(first[c]!, first[c + 1]!);
  for (let c = 1; c < width; c++) end[c] = Math.max(end[c]!, end[c - 1]!);
  return { first, end };
}
