import type { SliceStack, Vec3, VolumeGeometry } from "../geometry/index.ts";
import { type BitVolume, createBitVolume } from "../mask/index.ts";
import { copyBits } from "./bit-copy.ts";
import type { MaskSlices } from "./mask-slices.ts";
import { nearWhole } from "./resample-stack.ts";

/** Slices as far as it matters which voxels their pixels lie in. */
export type SlicePlaces = Pick<SliceStack, "corners"> & { readonly geometry: Pick<VolumeGeometry, "size"> };

/** A mask of the volume on the slices that it was interpolated from: each pixel is the nearest voxel's. */
export function maskOnSlices(
  { size: [ni, nj], bits }: BitVolume,
  { geometry: { size }, corners }: SlicePlaces,
): MaskSlices {
  const [columns, rows] = size;
  const out = new Uint8Array(Math.ceil((columns * rows) / 8));
  return {
    size,
    slice(n) {
      out.fill(0);
      const [i, j, k] = nearestVoxel(corners[n]!);
      const start = (k * nj + j) * ni + i;
      if (columns === ni) copyBits(bits, start, out, 0, rows * columns);
      else for (let y = 0; y < rows; y++) copyBits(bits, start + y * ni, out, y * columns, columns);
      return out;
    },
  };
}

/** The other way: each slice of the volume is the nearest of the slices that were sent. Beyond their edges is nothing. */
export function maskOffSlices(
  { bits }: BitVolume,
  { geometry: { size }, corners }: SlicePlaces,
  volumeSize: Vec3,
): BitVolume {
  const [columns, rows] = size;
  const [ni, nj, nk] = volumeSize;
  const mask = createBitVolume(volumeSize);
  for (const { k, n, i, j } of nearestSlices(corners, nk)) {
    for (let y = 0; y < rows; y++) {
      copyBits(bits, (n * rows + y) * columns, mask.bits, (k * nj + j + y) * ni + i, columns);
    }
  }
  return mask;
}

/**
 * Bytes of the volume on its slices, nearest as masks are: cut there at any threshold they are the mask that is cut in the
 * volume and then put onto the slices.
 */
export function bytesOnSlices(
  voxels: Uint8Array,
  [ni, nj]: Vec3,
  { geometry: { size }, corners }: SlicePlaces,
): Uint8Array {
  const [columns, rows, slices] = size;
  const out = new Uint8Array(columns * rows * slices);
  for (let n = 0; n < slices; n++) {
    const [i, j, k] = nearestVoxel(corners[n]!);
    for (let y = 0; y < rows; y++) {
      const start = (k * nj + j + y) * ni + i;
      out.set(voxels.subarray(start, start + columns), (n * rows + y) * columns);
    }
  }
  return out;
}

/**
 * Probabilities of the volume's slices on the slices that it was interpolated from, trilinear.
 * @param probabilities of slice k of the volume, in an array that it may reuse; undefined where all are 0
 * @returns the same of slice n, in an array that is reused
 */
export function probabilitiesOnSlices(
  probabilities: (k: number) => Uint8Array | undefined,
  [ni, nj]: Vec3,
  { geometry: { size }, corners }: SlicePlaces,
): (n: number) => Uint8Array | undefined {
  const [columns, rows] = size;
  const between = new Float32Array(ni * nj);
  const out = new Uint8Array(columns * rows);
  return (n) => {
    const corner = corners[n]!;
    const [left, top, level] = [nearWhole(corner[0]), nearWhole(corner[1]), nearWhole(corner[2])];
    const [i0, j0, k0] = [Math.floor(left), Math.floor(top), Math.floor(level)];
    const [across, down, up] = [left - i0, top - j0, level - k0];
    between.fill(0);
    let isEmpty = true;
    for (const [k, weight] of [
      [k0, 1 - up],
      [k0 + 1, up],
    ] as const) {
      const slice = weight > 0 ? probabilities(k) : undefined;
      if (slice === undefined) continue;
      isEmpty = false;
      for (let p = 0; p < slice.length; p++) between[p]! += weight * slice[p]!;
    }
    if (isEmpty) return undefined;
    for (let y = 0, p = 0; y < rows; y++) {
      const upper = (j0 + y) * ni;
      const lower = Math.min(j0 + y + 1, nj - 1) * ni;
      for (let x = 0; x < columns; x++, p++) {
        const i = i0 + x;
        const right = Math.min(i + 1, ni - 1);
        const above = between[upper + i]! + across * (between[upper + right]! - between[upper + i]!);
        const below = between[lower + i]! + across * (between[lower + right]! - between[lower + i]!);
        out[p] = Math.round(above + down * (below - above));
      }
    }
    return out;
  };
}

/** For each of the volume's `count` slices the nearest `n` of those that were sent, and where its first pixel lies. */
export function* nearestSlices(corners: SlicePlaces["corners"], count: number) {
  for (let k = 0, n = 0; k < count; k++) {
    while (n + 1 < corners.length && Math.abs(corners[n + 1]![2] - k) < Math.abs(corners[n]![2] - k)) n++;
    const [i, j] = nearestVoxel(corners[n]!);
    yield { k, n, i, j };
  }
}

function nearestVoxel([i, j, k]: Vec3): Vec3 {
  return [Math.round(i), Math.round(j), Math.round(k)];
}
