import { clampedTaps } from "./cubic-taps.ts";
import { openResizeUint8 } from "./resize-uint8.ts";
import { openUpsampler } from "./upsampler.ts";

/** Width and height of a plane, in pixels; width is fastest in memory. */
export type PlaneSize = readonly [width: number, height: number];

/**
 * Bicubic (a = -0.75, half-pixel centres, border clamped) on uint8, as Pillow and PyTorch do it to the bit: along the
 * rows, then along the columns, each in fixed point and rounded and clamped to 0..255. Written into `out` where given.
 */
export function resizeBicubicUint8(
  plane: Uint8Array,
  from: PlaneSize,
  to: PlaneSize,
  out: Uint8Array = new Uint8Array(to[0] * to[1]),
): Uint8Array {
  const pixels = from[0] * from[1];
  if (String(from) === String(to)) out.set(pixels === plane.length ? plane : plane.subarray(0, pixels));
  else resizerOf(from, to)(plane, out);
  return out;
}

const resizerOf = rememberFew(openResizeUint8);

/**
 * The same filter on floating-point grey values, in float32 throughout; the result is truncated to a whole number and
 * NOT clamped (an edge may overshoot 0..255), as upstream does with input that is not uint8.
 */
export function resizeBicubicFloat(
  plane: Float32Array,
  from: PlaneSize,
  to: PlaneSize,
  out: Float32Array = new Float32Array(to[0] * to[1]),
): Float32Array {
  resizeSeparably(plane, from, to, out);
  // + 0 turns -0 into 0
  for (let p = 0; p < out.length; p++) out[p] = Math.trunc(out[p]!) + 0;
  return out;
}

/**
 * Bicubic with antialias as PyTorch upsamples logits: a = -0.5, taps beyond the border dropped and the others
 * renormalised. Written into `out` where given.
 * @throws RangeError where the new size is smaller: antialias would need a wider filter
 */
export function upsampleAntialiased(
  plane: Float32Array,
  from: PlaneSize,
  to: PlaneSize,
  out: Float32Array = new Float32Array(to[0] * to[1]),
): Float32Array {
  const upsampler = upsamplerOf(from, to);
  upsampler.load(plane);
  upsampler.picture(out);
  return out;
}

const upsamplerOf = rememberFew(openUpsampler);

/** What is made for two sizes has tables and memory of its own; the few of late are kept. */
function rememberFew<T>(make: (from: PlaneSize, to: PlaneSize) => T): (from: PlaneSize, to: PlaneSize) => T {
  const made = new Map<string, T>();
  return (from, to) => {
    const key = `${from}:${to}`;
    const known = made.get(key) ?? make(from, to);
    if (made.size >= 8) made.clear();
    made.set(key, known);
    return known;
  };
}

function resizeSeparably(
  plane: Float32Array,
  [width, height]: PlaneSize,
  [newWidth, newHeight]: PlaneSize,
  out: Float32Array,
): Float32Array {
  const { fround } = Math;
  const across = clampedTaps(width, newWidth);
  const rows = new Float32Array(newWidth * height);
  for (let x = 0, t = 0; x < newWidth; x++, t += 4) {
    const { indices, weights } = across;
    const [a, b, c, d] = [indices[t]!, indices[t + 1]!, indices[t + 2]!, indices[t + 3]!];
    const [wa, wb, wc, wd] = [weights[t]!, weights[t + 1]!, weights[t + 2]!, weights[t + 3]!];
    for (let y = 0, p = x, q = 0; y < height; y++, p += newWidth, q += width) {
      const two = fround(fround(wa * plane[q + a]!) + fround(wb * plane[q + b]!));
      rows[p] = fround(fround(two + fround(wc * plane[q + c]!)) + fround(wd * plane[q + d]!));
    }
  }
  const { indices, weights } = clampedTaps(height, newHeight);
  for (let y = 0, t = 0, p = 0; y < newHeight; y++, t += 4) {
    let [a, b] = [indices[t]! * newWidth, indices[t + 1]! * newWidth];
    let [c, d] = [indices[t + 2]! * newWidth, indices[t + 3]! * newWidth];
    const [wa, wb, wc, wd] = [weights[t]!, weights[t + 1]!, weights[t + 2]!, weights[t + 3]!];
    for (const end = p + newWidth; p < end; p++, a++, b++, c++, d++) {
      const two = fround(fround(wa * rows[a]!) + fround(wb * rows[b]!));
      out[p] = fround(fround(two + fround(wc * rows[c]!)) + fround(wd * rows[d]!));
    }
  }
  return out;
}
