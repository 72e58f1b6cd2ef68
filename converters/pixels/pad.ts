import type { PlaneSize } from "./bicubic.ts";

/** A plane centred in the smallest square that holds it: where an odd pixel is left over, it goes to the end. */
export interface SquarePadding {
  readonly side: number;
  /** Columns before the plane's first. */
  readonly left: number;
  /** Rows before the plane's first. */
  readonly top: number;
}

export function squarePadding([width, height]: PlaneSize): SquarePadding {
  const side = Math.max(width, height);
  return { side, left: (side - width) >> 1, top: (side - height) >> 1 };
}

/** The plane with zeros around it; `out`, where given, holds side * side pixels and is overwritten. */
export function padToSquare<T extends Uint8Array | Float32Array>(plane: T, [width, height]: PlaneSize, out?: T): T {
  const { side, left, top } = squarePadding([width, height]);
  const square = out?.fill(0) as T | undefined;
  const padded = square ?? new (plane.constructor as new (length: number) => T)(side * side);
  for (let y = 0; y < height; y++) padded.set(plane.subarray(y * width, (y + 1) * width), (y + top) * side + left);
  return padded;
}
