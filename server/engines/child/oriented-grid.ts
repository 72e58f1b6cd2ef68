import { column, type Mat4, normalize, type Vec3, type Voxels } from "#converters/geometry/index.ts";
import { type PlaneAxis, planeSize } from "#converters/mask/index.ts";

/**
 * A volume's grid as a model wants to see it: its axes exchanged and turned round, no voxel moved. Axis a of the oriented grid
 * runs along `axis` of the volume, backwards where `flipped`.
 */
export interface OrientedGrid {
  /** Voxels along the oriented axes. */
  readonly size: Vec3;
  readonly axes: readonly [OrientedAxis, OrientedAxis, OrientedAxis];
  /** Voxels along the volume's own axes. */
  readonly volumeSize: Vec3;
}

interface OrientedAxis {
  readonly axis: PlaneAxis;
  readonly flipped: boolean;
}

const directions: Readonly<Record<string, { readonly row: 0 | 1 | 2; readonly sign: 1 | -1 }>> = {
  L: { row: 0, sign: 1 },
  R: { row: 0, sign: -1 },
  P: { row: 1, sign: 1 },
  A: { row: 1, sign: -1 },
  S: { row: 2, sign: 1 },
  I: { row: 2, sign: -1 },
};

/**
 * The volume's grid turned so that i, j and k point as nearly as they can to the sides of the patient that `codes` names;
 * "any" leaves it as it is.
 */
export function orientGrid(volumeSize: Vec3, ijkToLps: Mat4, codes: string): OrientedGrid {
  if (codes === "any") {
    const straight = (axis: PlaneAxis) => ({ axis, flipped: false });
    return { size: volumeSize, volumeSize, axes: [straight(0), straight(1), straight(2)] };
  }
  const cosines = ([0, 1, 2] as const).map((c) => normalize(column(ijkToLps, c)));
  const wanted = [...codes].map((code) => directions[code]!);
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ] as const satisfies readonly (readonly PlaneAxis[])[];
  const along = (order: readonly PlaneAxis[], a: number) => cosines[order[a]!]![wanted[a]!.row];
  const likeness = (order: readonly PlaneAxis[]) => wanted.reduce((sum, _, a) => sum + Math.abs(along(order, a)), 0);
  const best = orders.reduce((left, right) => (likeness(right) > likeness(left) ? right : left));
  const turned = (a: 0 | 1 | 2) => ({ axis: best[a], flipped: along(best, a) * wanted[a]!.sign < 0 });
  const axes = [turned(0), turned(1), turned(2)] as const;
  return { size: [volumeSize[best[0]], volumeSize[best[1]], volumeSize[best[2]]], volumeSize, axes };
}

/** The voxels in the oriented grid's order; the same array where nothing is turned. */
export function orientVoxels<T extends Voxels>(voxels: T, { size, axes, volumeSize }: OrientedGrid): T {
  const strides: Vec3 = [1, volumeSize[0], volumeSize[0] * volumeSize[1]];
  const steps = axes.map(({ axis, flipped }) => (flipped ? -strides[axis] : strides[axis]));
  const [di, dj, dk] = [steps[0]!, steps[1]!, steps[2]!];
  if (di === strides[0] && dj === strides[1] && dk === strides[2]) return voxels;
  const start = axes.reduce((sum, { axis, flipped }, a) => sum + (flipped ? (size[a]! - 1) * strides[axis] : 0), 0);
  const oriented = new (voxels.constructor as new (length: number) => T)(voxels.length);
  for (let k = 0, n = 0; k < size[2]; k++) {
    for (let j = 0; j < size[1]; j++) {
      let from = start + k * dk + j * dj;
      for (let i = 0; i < size[0]; i++, n++, from += di) oriented[n] = voxels[from]!;
    }
  }
  return oriented;
}

/** The volume's own plane that an oriented plane is. */
export function ownPlane({ axes, size }: OrientedGrid, axis: PlaneAxis, index: number) {
  const normal = axes[axis];
  return { axis: normal.axis, index: normal.flipped ? size[axis] - 1 - index : index };
}

/** A function that puts the pixels of the oriented planes that stand on `axis` into the order of the volume's own planes. */
export function planeTurner({ axes, size }: OrientedGrid, axis: PlaneAxis): (plane: Uint8Array) => Uint8Array {
  const [acrossAxis, downAxis] = axis === 2 ? ([0, 1] as const) : axis === 1 ? ([0, 2] as const) : ([1, 2] as const);
  const [across, down] = [axes[acrossAxis], axes[downAxis]];
  const [width, height] = planeSize(size, axis);
  const inOrder = across.axis < down.axis;
  if (inOrder && !across.flipped && !down.flipped) return (plane) => plane;
  const [stepAcross, stepDown] = inOrder ? [1, width] : [height, 1];
  const start = (across.flipped ? (width - 1) * stepAcross : 0) + (down.flipped ? (height - 1) * stepDown : 0);
  const [dx, dy] = [across.flipped ? -stepAcross : stepAcross, down.flipped ? -stepDown : stepDown];
  return (plane) => {
    const own = new Uint8Array(plane.length);
    for (let y = 0, p = 0; y < height; y++) {
      let n = start + y * dy;
      for (let x = 0; x < width; x++, p++, n += dx) own[n] = plane[p]!;
    }
    return own;
  };
}
