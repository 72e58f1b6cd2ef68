import type { Vec3 } from "../geometry/index.ts";
import { unpackBits } from "./pack.ts";

/**
 * One bit per voxel, i fastest, packed LSB first and running on across slices (the packing of DICOM's 1-bit frames,
 * PS3.5 section 8): voxel n = (k * nj + j) * ni + i is bit n & 7 of byte n >> 3.
 */
export interface BitVolume {
  readonly size: Vec3;
  readonly bits: Uint8Array;
}

/** The axis that a plane stands on: a plane of axis 2 is a slice k. */
export type PlaneAxis = 0 | 1 | 2;

export function createBitVolume(size: Vec3): BitVolume {
  return { size, bits: new Uint8Array(Math.ceil((size[0] * size[1] * size[2]) / 8)) };
}

/** Width and height of the planes that stand on `axis`: (i, j) on k, (i, k) on j, (j, k) on i; the first is fastest. */
export function planeSize([ni, nj, nk]: Vec3, axis: PlaneAxis): readonly [number, number] {
  return axis === 2 ? [ni, nj] : axis === 1 ? [ni, nk] : [nj, nk];
}

/** Voxel number of a plane's first pixel, and the steps to the next pixel along its width and its height. */
export function planeWalk(
  [ni, nj]: Vec3,
  axis: PlaneAxis,
  index: number,
): { start: number; stepAcross: number; stepDown: number } {
  if (axis === 2) return { start: index * ni * nj, stepAcross: 1, stepDown: ni };
  if (axis === 1) return { start: index * ni, stepAcross: 1, stepDown: ni * nj };
  return { start: index, stepAcross: ni, stepDown: ni * nj };
}

/** Sets the voxels of one plane where `mask` is not zero; `mask` has the plane's width fastest. Clears nothing. */
export function setPlane(volume: BitVolume, axis: PlaneAxis, index: number, mask: Uint8Array): void {
  const [width, height] = planeSize(volume.size, axis);
  const { start, stepAcross, stepDown } = planeWalk(volume.size, axis, index);
  const { bits } = volume;
  for (let y = 0, p = 0; y < height; y++) {
    let n = start + y * stepDown;
    for (let x = 0; x < width; x++, p++, n += stepAcross) if (mask[p]) bits[n >>> 3]! |= 1 << (n & 7);
  }
}

/** Writes one plane's pixels, width fastest, into a volume of one byte a voxel. */
export function writePlane(target: Uint8Array, size: Vec3, axis: PlaneAxis, index: number, plane: Uint8Array): void {
  const [width, height] = planeSize(size, axis);
  const { start, stepAcross, stepDown } = planeWalk(size, axis, index);
  for (let y = 0, p = 0; y < height; y++) {
    let n = start + y * stepDown;
    for (let x = 0; x < width; x++, p++, n += stepAcross) target[n] = plane[p]!;
  }
}

/** Slice k as one byte per pixel, 0 or 1, i fastest; written into `out` where given. */
export function readSlice(
  volume: BitVolume,
  k: number,
  out = new Uint8Array(volume.size[0] * volume.size[1]),
): Uint8Array {
  const pixels = volume.size[0] * volume.size[1];
  return unpackBits(volume.bits, k * pixels, pixels, out);
}

/** Voxels set in slice k. */
export function countSlice(volume: BitVolume, k: number): number {
  const pixels = volume.size[0] * volume.size[1];
  return countBits(volume.bits, k * pixels, (k + 1) * pixels);
}

/** Bits set from `start` up to, not including, `end`. */
export function countBits(bits: Uint8Array, start: number, end: number): number {
  let count = 0;
  let n = start;
  for (; n < end && (n & 7) !== 0; n++) count += (bits[n >>> 3]! >>> (n & 7)) & 1;
  for (; n + 8 <= end; n += 8) count += POPULATION[bits[n >>> 3]!]!;
  for (; n < end; n++) count += (bits[n >>> 3]! >>> (n & 7)) & 1;
  return count;
}

const POPULATION = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let b = byte; b > 0; b >>= 1) count += b & 1;
  return count;
});
