import { invert, type Mat4, multiply, transformPoint } from "./affine.ts";
import { length, subtract, type Vec3 } from "./vec3.ts";
import type { Volume, VolumeGeometry, Voxels } from "./volume.ts";

/**
 * The volume's values at the voxel centres of another grid, trilinear. Within half a voxel of the outermost centres the
 * border voxel's value holds; farther out there is `outside`.
 * @throws RangeError where the volume's affine cannot be inverted
 */
export function resampleTrilinear(volume: Volume, onto: VolumeGeometry, outside: number): Float32Array {
  const { size } = volume.geometry;
  // One kind of array keeps the inner loop fast, whatever was resampled before.
  const voxels = volume.voxels instanceof Float32Array ? volume.voxels : new Float32Array(volume.voxels);
  const out = new Float32Array(onto.size[0] * onto.size[1] * onto.size[2]).fill(outside);
  walkRows(volume.geometry, onto, (row) => {
    if (row.dy === 0 && row.dz === 0) sampleAlongI(voxels, size, row, out);
    else sampleAcross(voxels, size, row, out);
  });
  return out;
}

/**
 * The nearest voxel's value at the voxel centres of another grid; 0 beyond half a voxel of the outermost centres. A
 * point half way between two voxels takes the later one.
 * @throws RangeError where `from`'s affine cannot be inverted
 */
export function resampleNearest<T extends Voxels>(voxels: T, from: VolumeGeometry, onto: VolumeGeometry): T {
  const [nx, ny, nz] = from.size;
  const out = new (voxels.constructor as new (length: number) => T)(onto.size[0] * onto.size[1] * onto.size[2]);
  const read = rawBits(voxels);
  const write = rawBits(out);
  const half = 0.5 + 1e-6;
  walkRows(from, onto, (row) => {
    const { first, start, end, dx, dy, dz } = row;
    for (let i = start; i < end; i++) {
      const x = clamp(row.x + i * dx + half, nx - 0.5) | 0;
      const y = clamp(row.y + i * dy + half, ny - 0.5) | 0;
      const z = clamp(row.z + i * dz + half, nz - 0.5) | 0;
      write[first + i] = read[(z * ny + y) * nx + x]!;
    }
  });
  return out;
}

/** Whether two grids have the same size and no voxel's centre differs by more than `toleranceMm`. */
export function sameGrid(a: VolumeGeometry, b: VolumeGeometry, toleranceMm: number): boolean {
  if (a.size.some((voxels, axis) => voxels !== b.size[axis])) return false;
  if (a.frameOfReferenceUid && b.frameOfReferenceUid && a.frameOfReferenceUid !== b.frameOfReferenceUid) return false;
  const [i, j, k] = [a.size[0] - 1, a.size[1] - 1, a.size[2] - 1];
  const corners = [0, i].flatMap((x) => [0, j].flatMap((y) => [0, k].map((z): Vec3 => [x, y, z])));
  return corners.every(
    (corner) => length(subtract(transformPoint(a.ijkToLps, corner), transformPoint(b.ijkToLps, corner))) <= toleranceMm,
  );
}

/** The part of a row of the new grid that lies inside the old one: voxels first + start up to first + end. */
interface Row {
  first: number;
  start: number;
  end: number;
  /** Where the row's voxel 0 lies, in voxels of the old grid, and the step to its next one. */
  x: number;
  y: number;
  z: number;
  dx: number;
  dy: number;
  dz: number;
}

/** Rows that stay in one row of the old grid. */
function sampleAlongI(voxels: Float32Array, [nx, ny, nz]: Vec3, row: Row, out: Float32Array): void {
  const { first, start, end, dx } = row;
  const y = clamp(row.y, ny - 1);
  const z = clamp(row.z, nz - 1);
  const [yi, zi] = [y | 0, z | 0];
  const [fy, fz] = [y - yi, z - zi];
  const near = (zi * ny + yi) * nx;
  const nearDown = near + (fy > 0 ? nx : 0);
  const far = near + (fz > 0 ? nx * ny : 0);
  const farDown = far + (fy > 0 ? nx : 0);
  const [w0, w1, w2, w3] = [(1 - fy) * (1 - fz), fy * (1 - fz), (1 - fy) * fz, fy * fz];
  for (let i = start; i < end; i++) {
    const x = clamp(row.x + i * dx, nx - 1);
    const xi = x | 0;
    const fx = x - xi;
    const right = fx > 0 ? xi + 1 : xi;
    const a =
      w0 * voxels[near + xi]! + w1 * voxels[nearDown + xi]! + w2 * voxels[far + xi]! + w3 * voxels[farDown + xi]!;
    const b =
      w0 * voxels[near + right]! +
      w1 * voxels[nearDown + right]! +
      w2 * voxels[far + right]! +
      w3 * voxels[farDown + right]!;
    out[first + i] = a + fx * (b - a);
  }
}

function sampleAcross(voxels: Float32Array, [nx, ny, nz]: Vec3, row: Row, out: Float32Array): void {
  const { first, start, end, dx, dy, dz } = row;
  for (let i = start; i < end; i++) {
    const x = clamp(row.x + i * dx, nx - 1);
    const y = clamp(row.y + i * dy, ny - 1);
    const z = clamp(row.z + i * dz, nz - 1);
    const xi = x | 0;
    const yi = y | 0;
    const zi = z | 0;
    const fx = x - xi;
    const fy = y - yi;
    const fz = z - zi;
    const n = (zi * ny + yi) * nx + xi;
    const right = fx > 0 ? 1 : 0;
    const down = fy > 0 ? nx : 0;
    const next = n + (fz > 0 ? nx * ny : 0);
    const a = voxels[n]! + fx * (voxels[n + right]! - voxels[n]!);
    const b = voxels[n + down]! + fx * (voxels[n + down + right]! - voxels[n + down]!);
    const c = voxels[next]! + fx * (voxels[next + right]! - voxels[next]!);
    const d = voxels[next + down]! + fx * (voxels[next + down + right]! - voxels[next + down]!);
    const near = a + fy * (b - a);
    const far = c + fy * (d - c);
    out[first + i] = near + fz * (far - near);
  }
}

/** Visits the rows of `onto` that meet `from`; one Row object is used for all of them. */
function walkRows(from: VolumeGeometry, onto: VolumeGeometry, visit: (row: Row) => void): void {
  const m: Mat4 = multiply(invert(from.ijkToLps), onto.ijkToLps);
  const [ni, nj, nk] = onto.size;
  const [dx, dy, dz] = [m[0], m[4], m[8]].map((step) => (Math.abs(step) * ni < 1e-9 ? 0 : step)) as [
    number,
    number,
    number,
  ];
  const row: Row = { first: 0, start: 0, end: 0, x: 0, y: 0, z: 0, dx, dy, dz };
  for (let k = 0; k < nk; k++) {
    for (let j = 0; j < nj; j++, row.first += ni) {
      [row.x, row.y, row.z] = transformPoint(m, [0, j, k]);
      const [startX, endX] = inside(row.x, dx, from.size[0], ni);
      const [startY, endY] = inside(row.y, dy, from.size[1], ni);
      const [startZ, endZ] = inside(row.z, dz, from.size[2], ni);
      row.start = Math.max(startX, startY, startZ);
      row.end = Math.min(endX, endY, endZ);
      if (row.start < row.end) visit(row);
    }
  }
}

/** The i of a row, from 0 up to, not including, `count`, whose x + i * dx lies within -0.5 .. size - 0.5 (and a hair). */
function inside(x: number, dx: number, size: number, count: number): readonly [start: number, end: number] {
  const low = -0.5 - 1e-6;
  const high = size - 0.5 + 1e-6;
  if (dx === 0) return x >= low && x <= high ? [0, count] : [0, 0];
  const [enter, leave] = dx > 0 ? [(low - x) / dx, (high - x) / dx] : [(high - x) / dx, (low - x) / dx];
  return [Math.max(0, Math.ceil(enter)), Math.min(count, Math.floor(leave) + 1)];
}

function clamp(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most);
}

/** The voxels as unsigned integers of the same width: values are only moved. */
export function rawBits({ buffer, byteOffset, length: count, BYTES_PER_ELEMENT: width }: Voxels) {
  if (width === 1) return new Uint8Array(buffer, byteOffset, count);
  if (width === 2) return new Uint16Array(buffer, byteOffset, count);
  return width === 4 ? new Uint32Array(buffer, byteOffset, count) : new Float64Array(buffer, byteOffset, count);
}
