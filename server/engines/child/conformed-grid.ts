import {
  add,
  column,
  fromColumns,
  type Mat4,
  resampleNearest,
  scale,
  subtract,
  transformPoint,
  type Vec3,
  type VolumeGeometry,
} from "#converters/geometry/index.ts";

const towards: Readonly<Record<string, Vec3>> = {
  L: [1, 0, 0],
  R: [-1, 0, 0],
  P: [0, 1, 0],
  A: [0, -1, 0],
  S: [0, 0, 1],
  I: [0, 0, -1],
};

/**
 * The grid that a network was trained on, laid over a volume: its axes along the patient's, and index size / 2 of both
 * grids at the same point (FreeSurfer's centre).
 */
export function conformedGrid(
  volume: { readonly size: Vec3; readonly ijkToLps: Mat4 },
  conform: { readonly orientation: string; readonly spacingMm: Vec3; readonly size: Vec3 },
): VolumeGeometry {
  const axis = (c: 0 | 1 | 2) => scale(towards[conform.orientation[c]!]!, conform.spacingMm[c]);
  const turned = fromColumns(axis(0), axis(1), axis(2), [0, 0, 0]);
  const centre = transformPoint(volume.ijkToLps, scale(volume.size, 0.5));
  const origin = subtract(centre, transformPoint(turned, scale(conform.size, 0.5)));
  return {
    size: conform.size,
    ijkToLps: fromColumns(column(turned, 0), column(turned, 1), column(turned, 2), origin),
    frameOfReferenceUid: "",
  };
}

/** In mm, towards left, posterior and inferior: more than rounding errors, less than matters. */
const hair: Vec3 = [1e-3, 1e-3, -1e-3];

/**
 * Labels of the conformed grid on the volume's own, by nearest neighbour. A volume of odd size has its voxels half way
 * between grid points: each then takes the label of the point to its left, behind and below. The side is the patient's, so
 * that an image has the same labels in whatever order its voxels are stored; up to half a grid step is the price.
 */
export function takeBack(labels: Uint8Array, grid: VolumeGeometry, volume: VolumeGeometry): Uint8Array {
  const { ijkToLps } = volume;
  const origin = add(transformPoint(ijkToLps, [0, 0, 0]), hair);
  const nudged = fromColumns(column(ijkToLps, 0), column(ijkToLps, 1), column(ijkToLps, 2), origin);
  return resampleNearest(labels, grid, { ...volume, ijkToLps: nudged });
}

/** A box of voxels, `end` not included. */
export interface VoxelBox {
  readonly start: Vec3;
  readonly end: Vec3;
}

/** The smallest box around all values above `above`, grown by `margin` inside the grid; undefined where there is none. */
export function boxAbove(
  values: Float32Array,
  [ni, nj, nk]: Vec3,
  above: number,
  margin: number,
): VoxelBox | undefined {
  let [i0, j0, k0, i1, j1, k1] = [ni, nj, nk, -1, -1, -1];
  for (let k = 0, n = 0; k < nk; k++) {
    for (let j = 0; j < nj; j++) {
      for (let i = 0; i < ni; i++, n++) {
        if (!(values[n]! > above)) continue;
        if (i < i0) i0 = i;
        if (i > i1) i1 = i;
        if (j < j0) j0 = j;
        if (j > j1) j1 = j;
        if (k < k0) k0 = k;
        k1 = k;
      }
    }
  }
  if (k1 < 0) return undefined;
  const low = (value: number) => Math.max(0, value - margin);
  const high = (value: number, size: number) => Math.min(size, value + 1 + margin);
  return { start: [low(i0), low(j0), low(k0)], end: [high(i1, ni), high(j1, nj), high(k1, nk)] };
}

export function boxSize({ start, end }: VoxelBox): Vec3 {
  return subtract(end, start);
}

/** Copies the box's rows out of the grid. */
export function cutBox(values: Float32Array, [ni, nj]: Vec3, box: VoxelBox): Float32Array {
  const [bi, bj, bk] = boxSize(box);
  const cut = new Float32Array(bi * bj * bk);
  for (let k = 0, n = 0; k < bk; k++) {
    for (let j = 0; j < bj; j++, n += bi) {
      const from = ((k + box.start[2]) * nj + j + box.start[1]) * ni + box.start[0];
      cut.set(values.subarray(from, from + bi), n);
    }
  }
  return cut;
}

/** A grid of zeros with the box's rows put back in their place. */
export function placeBox(cut: Uint8Array, [ni, nj, nk]: Vec3, box: VoxelBox): Uint8Array {
  const [bi, bj, bk] = boxSize(box);
  const values = new Uint8Array(ni * nj * nk);
  for (let k = 0, n = 0; k < bk; k++) {
    for (let j = 0; j < bj; j++, n += bi) {
      const to = ((k + box.start[2]) * nj + j + box.start[1]) * ni + box.start[0];
      values.set(cut.subarray(n, n + bi), to);
    }
  }
  return values;
}
