import type { Vec3 } from "../geometry/index.ts";
import { type PlaneAxis, planeSize } from "../mask/index.ts";
import { resizeBicubicFloat, resizeBicubicUint8 } from "./bicubic.ts";
import { padToSquare, squarePadding } from "./pad.ts";
import { takePlane } from "./slice-axis.ts";

/** A volume's planes as a network's square pictures, one at a time, in buffers that are used again. */
export interface SliceInput {
  /** Planes along the axis. */
  readonly planes: number;
  /**
   * Writes the three channels of plane `index` (itself, the one before, the one after, reflected at the ends) into
   * `out` at `offset`: 3 * imageSize * imageSize grey values.
   */
  writeChannels(index: number, out: Float32Array, offset: number): void;
}

/**
 * Plane, zero padding to a square, bicubic to imageSize: exact in uint8, truncated from float32 otherwise. The few
 * pictures that neighbouring slices share are kept, so that a walk in order, or outwards on two sides in turn, resizes each
 * plane once.
 */
export function sliceInput(
  voxels: Uint8Array | Float32Array,
  size: Vec3,
  axis: PlaneAxis,
  imageSize: number,
): SliceInput {
  const [width, height] = planeSize(size, axis);
  const { side } = squarePadding([width, height]);
  const planes = size[axis];
  const picture =
    voxels instanceof Uint8Array
      ? resizer(voxels, new Uint8Array(width * height), new Uint8Array(side * side), resizeBicubicUint8)
      : resizer(voxels, new Float32Array(width * height), new Float32Array(side * side), resizeBicubicFloat);

  function resizer<T extends Uint8Array | Float32Array>(
    source: T,
    plane: T,
    square: T,
    resize: (plane: T, from: [number, number], to: [number, number], out: T) => T,
  ) {
    let clock = 0;
    const kept = Array.from({ length: 6 }, () => ({
      index: -1,
      usedAt: 0,
      pixels: new (plane.constructor as new (length: number) => T)(imageSize * imageSize),
    }));
    return (index: number): T => {
      const hit = kept.find((slot) => slot.index === index);
      const slot = hit ?? kept.reduce((oldest, other) => (other.usedAt < oldest.usedAt ? other : oldest));
      slot.usedAt = ++clock;
      if (hit) return slot.pixels;
      takePlane(source, size, axis, index, plane);
      padToSquare(plane, [width, height], square);
      resize(square, [side, side], [imageSize, imageSize], slot.pixels);
      slot.index = index;
      return slot.pixels;
    };
  }

  return {
    planes,
    writeChannels(index, out, offset) {
      const channels = neighbours(index, planes);
      for (const [c, plane] of channels.entries()) {
        out.set(picture(plane), offset + c * imageSize * imageSize);
      }
    },
  };
}

/** Plane, previous, next; beyond an end the neighbour on the other side. A single plane is its own neighbour. */
export function neighbours(index: number, planes: number): readonly [number, number, number] {
  if (planes === 1) return [0, 0, 0];
  return [index, index === 0 ? 1 : index - 1, index === planes - 1 ? planes - 2 : index + 1];
}
