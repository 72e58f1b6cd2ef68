import { column, fromColumns, type Mat4, transformPoint } from "./affine.ts";
import { rawBits } from "./resample.ts";
import { scale, type Vec3 } from "./vec3.ts";
import type { Volume, VolumeGeometry, Voxels } from "./volume.ts";

type Axis = 0 | 1 | 2;

/**
 * How a grid's axes become another grid's without interpolation: new axis a runs along old axis `axes[a].from`,
 * backwards where `flipped`.
 */
export interface Reorientation {
  readonly axes: readonly [NewAxis, NewAxis, NewAxis];
}

interface NewAxis {
  readonly from: Axis;
  readonly flipped: boolean;
}

/**
 * Where i, j and k lead, as three letters out of L/R, P/A, S/I: "LPS" is a grid along DICOM's axes, "RAS" nibabel's
 * canonical one. Oblique axes go by the closest direction, chosen as nibabel's io_orientation does.
 */
export function orientationOf({ ijkToLps }: VolumeGeometry): string {
  return closestDirections(ijkToLps)
    .map(({ world, negative }) => DIRECTIONS[world]![negative ? 1 : 0])
    .join("");
}

/**
 * What turns a grid into one whose axes lead along `code`.
 * @throws RangeError where the code does not name each of L/R, P/A and S/I once
 */
export function reorientationTo(geometry: VolumeGeometry, code: string): Reorientation {
  const directions = closestDirections(geometry.ijkToLps);
  const axes = [...code.toUpperCase()].map((letter): NewAxis => {
    const world = DIRECTIONS.findIndex((pair) => pair.includes(letter));
    const from = directions.findIndex((direction) => direction.world === world);
    return { from: from as Axis, flipped: directions[from]?.negative !== (DIRECTIONS[world]?.[1] === letter) };
  });
  const [i, j, k] = axes;
  if (!i || !j || !k || axes.length !== 3 || ![0, 1, 2].every((axis) => axes.some(({ from }) => from === axis))) {
    throw new RangeError(`"${code}" is not an orientation; write three letters like LPS, RAS or LIA`);
  }
  return { axes: [i, j, k] };
}

/**
 * The same voxels, moved so that the axes lead along `code`; their places in the world stay. A volume that lies so
 * already is returned as it is; otherwise the slices are no longer those of the source instances: `sources` is empty, and there is no `stack`.
 * @throws RangeError where `code` is not an orientation
 */
export function reorient<T extends Voxels>(volume: Volume<T>, code: string): Volume<T> {
  const reorientation = reorientationTo(volume.geometry, code);
  const { axes } = reorientation;
  if (axes.every(({ from, flipped }, axis) => from === axis && !flipped)) return volume;
  const geometry = reorientGeometry(volume.geometry, reorientation);
  const { stack: _, ...others } = volume;
  return { ...others, geometry, voxels: moveVoxels(volume.voxels, volume.geometry.size, axes), sources: [] };
}

/**
 * A plane of the reoriented grid, put back: the axis that it stands on in the original grid, its index there, and its
 * pixels in the original's order (width fastest; the width is the lower of the two other axes).
 * @param size of the reoriented grid
 */
export function restorePlane(
  { axes }: Reorientation,
  size: Vec3,
  plane: { readonly axis: Axis; readonly index: number; readonly pixels: Uint8Array },
): { axis: Axis; index: number; pixels: Uint8Array } {
  const stands = axes[plane.axis];
  const index = stands.flipped ? size[plane.axis] - 1 - plane.index : plane.index;
  const [across, down] = ([0, 1, 2] as const).filter((axis) => axis !== plane.axis) as [Axis, Axis];
  const [width, height] = [size[across], size[down]];
  const transposed = axes[across].from > axes[down].from;
  const stepAcross = transposed ? height : 1;
  const stepDown = transposed ? 1 : width;
  const start =
    (axes[across].flipped ? (width - 1) * stepAcross : 0) + (axes[down].flipped ? (height - 1) * stepDown : 0);
  const pixels = new Uint8Array(plane.pixels.length);
  for (let y = 0, p = 0; y < height; y++) {
    let n = start + (axes[down].flipped ? -y : y) * stepDown;
    const step = axes[across].flipped ? -stepAcross : stepAcross;
    for (let x = 0; x < width; x++, p++, n += step) pixels[n] = plane.pixels[p]!;
  }
  return { axis: stands.from, index, pixels };
}

/** L, P, S are where x, y and z of LPS grow. */
const DIRECTIONS: readonly (readonly [string, string])[] = [
  ["L", "R"],
  ["P", "A"],
  ["S", "I"],
];

function reorientGeometry({ size, ijkToLps, ...rest }: VolumeGeometry, { axes }: Reorientation): VolumeGeometry {
  const start: [number, number, number] = [0, 0, 0];
  for (const { from, flipped } of axes) start[from] = flipped ? size[from] - 1 : 0;
  const [i, j, k] = axes.map(({ from, flipped }) => scale(column(ijkToLps, from), flipped ? -1 : 1));
  const affine = fromColumns(i!, j!, k!, transformPoint(ijkToLps, start));
  return { ...rest, size: [size[axes[0].from], size[axes[1].from], size[axes[2].from]], ijkToLps: affine };
}

function moveVoxels<T extends Voxels>(voxels: T, size: Vec3, axes: Reorientation["axes"]): T {
  const strides = [1, size[0], size[0] * size[1]] as const;
  const steps = axes.map(({ from, flipped }) => (flipped ? -strides[from] : strides[from]));
  const [ni, nj, nk] = axes.map(({ from }) => size[from]) as [number, number, number];
  const [stepI, stepJ, stepK] = steps as [number, number, number];
  const start = axes.reduce((sum, { from, flipped }) => sum + (flipped ? (size[from] - 1) * strides[from] : 0), 0);
  const out = new (voxels.constructor as new (length: number) => T)(voxels.length);
  const read = rawBits(voxels);
  const write = rawBits(out);
  for (let k = 0, p = 0; k < nk; k++) {
    for (let j = 0; j < nj; j++) {
      let n = start + k * stepK + j * stepJ;
      for (let i = 0; i < ni; i++, p++, n += stepI) write[p] = read[n]!;
    }
  }
  return out;
}

/** For i, j and k: the world axis (x, y, z of LPS) that each is closest to, none twice. */
function closestDirections(m: Mat4): readonly { readonly world: Axis; readonly negative: boolean }[] {
  const rotation = closestRotation(m);
  const strength = (axis: Axis) => Math.max(...rotation.map((row) => row[axis]! ** 2));
  const order = ([0, 1, 2] as const).toSorted((a, b) => strength(b) - strength(a));
  const found: { world: Axis; negative: boolean }[] = [];
  const free = new Set<Axis>([0, 1, 2]);
  for (const axis of order) {
    let world: Axis | undefined;
    for (const candidate of free) {
      if (world === undefined || Math.abs(rotation[candidate]![axis]!) > Math.abs(rotation[world]![axis]!)) {
        world = candidate;
      }
    }
    free.delete(world!);
    found[axis] = { world: world!, negative: rotation[world!]![axis]! < 0 };
  }
  return found;
}

/** The rotation (or reflection) nearest to the affine's directions: its polar factor, by Newton's iteration. */
function closestRotation(m: Mat4): number[][] {
  const columns = ([0, 1, 2] as const).map((c) => {
    const direction = column(m, c);
    return scale(direction, 1 / Math.hypot(...direction));
  });
  let r = [0, 1, 2].map((row) => columns.map((direction) => direction[row as Axis]));
  for (let step = 0; step < 30; step++) {
    const inverse = invertedTranspose(r);
    const next = r.map((row, y) => row.map((value, x) => (value + inverse[y]![x]!) / 2));
    const change = Math.max(...next.flatMap((row, y) => row.map((value, x) => Math.abs(value - r[y]![x]!))));
    r = next;
    if (change < 1e-14) break;
  }
  return r;
}

function invertedTranspose(r: readonly (readonly number[])[]): number[][] {
  const cofactor = (y: number, x: number) => {
    const at = (dy: number, dx: number) => r[(y + dy) % 3]![(x + dx) % 3]!;
    return at(1, 1) * at(2, 2) - at(1, 2) * at(2, 1);
  };
  const rows = [0, 1, 2].map((y) => [0, 1, 2].map((x) => cofactor(y, x)));
  const det = r[0]!.reduce((sum, value, x) => sum + value * rows[0]![x]!, 0);
  return rows.map((row) => row.map((value) => value / det));
}
