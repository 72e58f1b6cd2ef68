import type { SegSegment } from "#converters/dicom/index.ts";
import { readSlice } from "#converters/mask/index.ts";
import type { PromptMask } from "./prompt-mask.ts";

/**
 * The model's probabilities as a fractional SEG holds them, slice by slice: nothing on planes in which the model says that
 * the object is not, and nothing where a small piece was dropped, so that the fractions say no more than the mask.
 */
export function fractionsOf({
  mask: { size },
  probability,
  absentPlanes = [],
  dropped,
}: PromptMask): Required<Pick<SegSegment, "probabilities">> {
  if (!probability) throw new Error("the model gave no probabilities");
  const [ni, nj] = size;
  const pixels = ni * nj;
  const on = (axis: number) => new Set(absentPlanes.filter((plane) => plane.axis === axis).map(({ index }) => index));
  const [columns, rows, slices] = [on(0), on(1), on(2)];
  const untouched = columns.size === 0 && rows.size === 0 && !dropped;
  const slice = new Uint8Array(pixels);
  const taken = new Uint8Array(pixels);
  return {
    probabilities(k) {
      if (slices.has(k)) return undefined;
      const given = probability.subarray(k * pixels, (k + 1) * pixels);
      if (untouched) return given;
      slice.set(given);
      for (const j of rows) slice.fill(0, j * ni, (j + 1) * ni);
      for (const i of columns) for (let p = i; p < pixels; p += ni) slice[p] = 0;
      if (dropped) {
        readSlice(dropped.mask, k, taken);
        for (let p = 0; p < pixels; p++) if (taken[p]) slice[p] = 0;
      }
      return slice;
    },
  };
}
