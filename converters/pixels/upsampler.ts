import type { PlaneSize } from "./bicubic.ts";
import { type CubicTaps, renormalisedTaps } from "./cubic-taps.ts";
import { GREY_TABLES } from "./probability-grey.ts";
import { layOut, openResizeKernels, roundUp } from "./resize-kernels.ts";

/** Upsamples planes of logits of one size to another, and says of the result what it is asked; its memory is used again. */
export interface Upsampler {
  /** Takes the plane that is asked about until the next one. */
  load(logits: Float32Array): void;
  /** The upsampled logits. */
  picture(out: Float32Array): void;
  /** 1 where the upsampled logits are above `cut`, else 0. @returns whether any is */
  above(cut: number, out: Uint8Array): boolean;
  /** round(255 p) of the upsampled logits. */
  greys(out: Uint8Array): void;
}

/**
 * Bicubic with antialias as PyTorch upsamples logits, along the rows and then along the columns, in float32.
 * @throws RangeError where the new size is smaller: antialias would need a wider filter
 */
export function openUpsampler([width, height]: PlaneSize, [newWidth, newHeight]: PlaneSize): Upsampler {
  if (newWidth < width || newHeight < height) {
    throw new RangeError(`cannot upsample ${width}x${height} to ${newWidth}x${newHeight}`);
  }
  const stride = roundUp(newWidth, 16);
  const groups = Math.ceil(newWidth / 4);
  const at = layOut({
    taps: GROUP_BYTES * groups,
    firstGreys: GREY_TABLES.first.byteLength,
    lastLogits: GREY_TABLES.last.byteLength,
    plane: 4 * width * height,
    rows: 4 * stride * height,
    row: 4 * stride,
    bytes: stride,
  });
  const kernels = openResizeKernels(at.end);
  const { buffer } = kernels.memory;
  const bytes = new Uint8Array(buffer);
  const plane = new Float32Array(buffer, at.plane, width * height);
  const row = new Float32Array(buffer, at.row, newWidth);
  const rowOfBytes = bytes.subarray(at.bytes, at.bytes + newWidth);
  writeTaps(new DataView(buffer, at.taps), renormalisedTaps(width, newWidth), width, newWidth);
  bytes.set(GREY_TABLES.first, at.firstGreys);
  new Float32Array(buffer, at.lastLogits, GREY_TABLES.last.length).set(GREY_TABLES.last);
  const { indices, weights } = renormalisedTaps(height, newHeight);

  function eachRow(take: (y: number) => void): void {
    for (let y = 0, t = 0; y < newHeight; y++, t += 4) {
      kernels.acrossRows32(
        at.rows + indices[t]! * 4 * stride,
        at.rows + indices[t + 1]! * 4 * stride,
        at.rows + indices[t + 2]! * 4 * stride,
        at.rows + indices[t + 3]! * 4 * stride,
        at.row,
        stride / 4,
        weights[t]!,
        weights[t + 1]!,
        weights[t + 2]!,
        weights[t + 3]!,
      );
      take(y);
    }
  }

  return {
    load(logits) {
      plane.set(logits.length === plane.length ? logits : logits.subarray(0, plane.length));
      for (let y = 0; y < height; y++) {
        kernels.alongRow32(at.plane + 4 * y * width, at.rows + 4 * y * stride, at.taps, groups);
      }
    },
    picture: (out) => eachRow((y) => out.set(row, y * newWidth)),
    above(cut, out) {
      let any = false;
      eachRow((y) => {
        // What lies beyond the row's end is not of the plane.
        const inRow = kernels.above(at.row, at.bytes, stride / 16, cut) === 1;
        out.set(rowOfBytes, y * newWidth);
        any ||= inRow && (stride === newWidth || rowOfBytes.includes(1));
      });
      return any;
    },
    greys(out) {
      const { limit, stepsPerLogit } = GREY_TABLES;
      eachRow((y) => {
        kernels.greys(at.row, at.bytes, newWidth, at.firstGreys, at.lastLogits, limit, stepsPerLogit);
        out.set(rowOfBytes, y * newWidth);
      });
    },
  };
}

/** 4 offsets and 4 x 4 weights. */
const GROUP_BYTES = 16 + 64;

/** Taps as the kernel reads them: four neighbours from an offset in bytes on, in groups of 4 outputs; the last one is repeated. */
function writeTaps(view: DataView, { indices, weights }: CubicTaps, from: number, to: number): void {
  for (let n = 0; n < roundUp(to, 4); n++) {
    const t = 4 * Math.min(n, to - 1);
    const group = Math.floor(n / 4) * GROUP_BYTES;
    const first = Math.min(indices[t]!, Math.max(0, from - 4));
    view.setInt32(group + 4 * (n % 4), 4 * first, true);
    for (let tap = t; tap < t + 4; tap++) {
      const place = group + 16 + 16 * (n % 4) + 4 * (indices[tap]! - first);
      if (weights[tap] !== 0) view.setFloat32(place, weights[tap]!, true);
    }
  }
}
