import type { PlaneSize } from "./bicubic.ts";
import { fixedPointTaps } from "./cubic-taps.ts";
import { layOut, openResizeKernels, roundUp } from "./resize-kernels.ts";

/** Resizes planes of bytes of one size to another; its memory is used again for each. */
export type ResizeUint8 = (plane: Uint8Array, out: Uint8Array) => void;

/** Bicubic in fixed point, along the rows and then along the columns, rounded and clamped to 0..255 after either. */
export function openResizeUint8([width, height]: PlaneSize, [newWidth, newHeight]: PlaneSize): ResizeUint8 {
  const stride = roundUp(newWidth, 16);
  const groups = Math.ceil(newWidth / 4);
  const at = layOut({
    taps: GROUP_BYTES * groups,
    plane: width * height,
    rows: stride * height,
    picture: stride * newHeight,
  });
  const kernels = openResizeKernels(at.end);
  const bytes = new Uint8Array(kernels.memory.buffer);
  const across = fixedPointTaps(width, newWidth);
  writeTaps(new DataView(kernels.memory.buffer, at.taps), across, width, newWidth);
  const { indices, weights, precision } = fixedPointTaps(height, newHeight);
  const pair = (t: number) => (weights[t]! & 0xffff) | (weights[t + 1]! << 16);

  return (plane, out) => {
    bytes.set(width * height === plane.length ? plane : plane.subarray(0, width * height), at.plane);
    for (let y = 0; y < height; y++) {
      kernels.alongRow8(at.plane + y * width, at.rows + y * stride, at.taps, groups, across.precision);
    }
    for (let y = 0, t = 0; y < newHeight; y++, t += 4) {
      kernels.acrossRows8(
        at.rows + indices[t]! * stride,
        at.rows + indices[t + 1]! * stride,
        at.rows + indices[t + 2]! * stride,
        at.rows + indices[t + 3]! * stride,
        at.picture + y * stride,
        stride / 16,
        pair(t),
        pair(t + 2),
        precision,
      );
    }
    for (let y = 0; stride !== newWidth && y < newHeight; y++) {
      const row = at.picture + y * stride;
      out.set(bytes.subarray(row, row + newWidth), y * newWidth);
    }
    if (stride === newWidth) out.set(bytes.subarray(at.picture, at.picture + newWidth * newHeight));
  };
}

/** 4 offsets and 4 x 4 weights. */
const GROUP_BYTES = 16 + 32;

/** Taps as the kernel reads them: four neighbours from an offset on, in groups of 4 outputs; the last one is repeated. */
function writeTaps(
  view: DataView,
  { indices, weights }: ReturnType<typeof fixedPointTaps>,
  from: number,
  to: number,
): void {
  for (let n = 0; n < roundUp(to, 4); n++) {
    const t = 4 * Math.min(n, to - 1);
    const group = Math.floor(n / 4) * GROUP_BYTES;
    const first = Math.min(indices[t]!, Math.max(0, from - 4));
    view.setInt32(group + 4 * (n % 4), first, true);
    for (let tap = t; tap < t + 4; tap++) {
      const place = group + 16 + 8 * (n % 4) + 2 * (indices[tap]! - first);
      view.setInt16(place, view.getInt16(place, true) + weights[tap]!, true);
    }
  }
}
