import type { Voxels } from "../geometry/index.ts";

/** A range of values that is spread over 0..255; what lies beyond is black or white. */
export interface ValueRange {
  readonly lower: number;
  readonly upper: number;
}

/** The values of a CT window; `level` is its centre, both in HU. */
export function windowRange({ width, level }: { readonly width: number; readonly level: number }): ValueRange {
  return { lower: level - width / 2, upper: level + width / 2 };
}

/**
 * Clipped to the window, spread over 0..255 and truncated to whole grey levels (as a cast to uint8 does).
 * `width` and `level` are in the voxels' own unit.
 */
export function windowToUint8(voxels: Voxels, window: { readonly width: number; readonly level: number }): Uint8Array {
  return rangeToUint8(voxels, windowRange(window));
}

/** The same for any range. A range without width makes what is above it white; what is no finite number becomes black. */
export function rangeToUint8(voxels: Voxels, { lower, upper }: ValueRange): Uint8Array {
  const grey = new Uint8Array(voxels.length);
  const span = upper - lower;
  if (voxels.BYTES_PER_ELEMENT <= 2) {
    const { buffer, byteOffset, length } = voxels;
    const bytes = voxels.BYTES_PER_ELEMENT === 1;
    const raw = bytes ? new Uint8Array(buffer, byteOffset, length) : new Uint16Array(buffer, byteOffset, length);
    const value = new (voxels.constructor as new (values: number[]) => Voxels)([0]);
    const table = Uint8Array.from({ length: bytes ? 256 : 65536 }, (_, bits) => {
      value[0] = bits;
      return greyLevel(value[0]!, lower, span);
    });
    for (let n = 0; n < raw.length; n++) grey[n] = table[raw[n]!]!;
    return grey;
  }
  const block = new Float64Array(4096);
  for (let start = 0; start < voxels.length; start += block.length) {
    const end = Math.min(start + block.length, voxels.length);
    block.set(voxels.subarray(start, end));
    for (let n = start, b = 0; n < end; n++, b++) grey[n] = greyLevel(block[b]!, lower, span);
  }
  return grey;
}

function greyLevel(value: number, lower: number, span: number): number {
  const above = value - lower;
  if (!(above > 0) || above === Infinity) return 0;
  return above >= span ? 255 : Math.trunc((above / span) * 255);
}
