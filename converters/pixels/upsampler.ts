import type { PlaneSize } from "./bicubic.ts";
import { GREY_TABLES } from "./probability-grey.ts";
import { layOut } from "./resize-kernels.ts";
import { GROUP, openUpsampledRows, type UpsampledRows } from "./upsampled-rows.ts";

/** Upsamples planes of logits of one size to another, and says of the result what it is asked; its memory is used again. */
export interface Upsampler extends Pick<UpsampledRows, "load"> {
  readonly rows: UpsampledRows;
  /** Where memory of the caller's own begins. */
  readonly room: number;
  /** The upsampled logits. */
  picture(out: Float32Array): void;
  /** round(255 p) of the upsampled logits. */
  greys(out: Uint8Array): void;
}

/** @throws RangeError where the new size is smaller */
export function openUpsampler(from: PlaneSize, to: PlaneSize, roomBytes = 0): Upsampler {
  const [newWidth, newHeight] = to;
  const { first, last, limit, stepsPerLogit } = GREY_TABLES;
  const parts = layOut({
    firstGreys: first.byteLength,
    lastLogits: last.byteLength,
    bytes: newWidth + GROUP,
    room: roomBytes,
  });
  const rows = openUpsampledRows(from, to, parts.end);
  const { kernels, at, groups } = rows;
  const { buffer } = kernels.memory;
  const row = new Float32Array(buffer, at.row, newWidth);
  const [firstGreys, lastLogits, bytes] = [parts.firstGreys, parts.lastLogits, parts.bytes].map((n) => at.room + n) as [
    number,
    number,
    number,
  ];
  const rowOfBytes = new Uint8Array(buffer, bytes, newWidth);
  new Uint8Array(buffer).set(first, firstGreys);
  new Float32Array(buffer, lastLogits, last.length).set(last);

  return {
    rows,
    room: at.room + parts.room,
    load: rows.load,
    picture(out) {
      rows.narrow(0, groups);
      for (let y = 0; y < newHeight; y++) {
        rows.make(y, 0, groups);
        out.set(row, y * newWidth);
      }
    },
    greys(out) {
      out.fill(0);
      // Up to there the grey level is 0.
      rows.eachAbove(last[0]!, (y, begin, end) => {
        const x = GROUP * begin;
        const count = Math.min(GROUP * end, newWidth) - x;
        kernels.greys(at.row + 4 * x, bytes + x, count, firstGreys, lastLogits, limit, stepsPerLogit);
        out.set(rowOfBytes.subarray(x, x + count), y * newWidth + x);
      });
    },
  };
}
