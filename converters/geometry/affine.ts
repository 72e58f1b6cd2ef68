import type { Vec3 } from "./vec3.ts";
import { length } from "./vec3.ts";

/** A 4x4 affine transform, row by row; the last row is 0 0 0 1. */
export type Mat4 = readonly [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];

export const identity: Mat4 = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

/** The affine whose first three columns are `i`, `j`, `k` and whose last is `origin`. */
export function fromColumns(i: Vec3, j: Vec3, k: Vec3, origin: Vec3): Mat4 {
  return [i[0], j[0], k[0], origin[0], i[1], j[1], k[1], origin[1], i[2], j[2], k[2], origin[2], 0, 0, 0, 1];
}

/** Column `c` of the affine, 0 to 3, without the last row. */
export function column(m: Mat4, c: 0 | 1 | 2 | 3): Vec3 {
  return [m[c], m[(c + 4) as 4], m[(c + 8) as 8]];
}

export function transformPoint(m: Mat4, [x, y, z]: Vec3): Vec3 {
  return [
    m[0] * x + m[1] * y + m[2] * z + m[3],
    m[4] * x + m[5] * y + m[6] * z + m[7],
    m[8] * x + m[9] * y + m[10] * z + m[11],
  ];
}

/** `a` after `b`. */
export function multiply(a: Mat4, b: Mat4): Mat4 {
  const rows = (r: 0 | 4 | 8) => {
    const [p, q, s, t] = [a[r], a[(r + 1) as 1], a[(r + 2) as 2], a[(r + 3) as 3]];
    return [
      p * b[0] + q * b[4] + s * b[8],
      p * b[1] + q * b[5] + s * b[9],
      p * b[2] + q * b[6] + s * b[10],
      p * b[3] + q * b[7] + s * b[11] + t,
    ] as const;
  };
  return [...rows(0), ...rows(4), ...rows(8), 0, 0, 0, 1];
}

/** The determinant of the 3x3 part: its sign tells handedness, its size the volume of one voxel (mm^3). */
export function determinant(m: Mat4): number {
  return m[0] * (m[5] * m[10] - m[6] * m[9]) - m[1] * (m[4] * m[10] - m[6] * m[8]) + m[2] * (m[4] * m[9] - m[5] * m[8]);
}

/** @throws RangeError where the affine cannot be inverted. */
export function invert(m: Mat4): Mat4 {
  const det = determinant(m);
  if (!Number.isFinite(det) || Math.abs(det) < 1e-18) throw new RangeError("affine is not invertible");
  const a = (m[5] * m[10] - m[6] * m[9]) / det;
  const b = (m[2] * m[9] - m[1] * m[10]) / det;
  const c = (m[1] * m[6] - m[2] * m[5]) / det;
  const d = (m[6] * m[8] - m[4] * m[10]) / det;
  const e = (m[0] * m[10] - m[2] * m[8]) / det;
  const f = (m[2] * m[4] - m[0] * m[6]) / det;
  const g = (m[4] * m[9] - m[5] * m[8]) / det;
  const h = (m[1] * m[8] - m[0] * m[9]) / det;
  const i = (m[0] * m[5] - m[1] * m[4]) / det;
  return [
    a,
    b,
    c,
    -(a * m[3] + b * m[7] + c * m[11]),
    d,
    e,
    f,
    -(d * m[3] + e * m[7] + f * m[11]),
    g,
    h,
    i,
    -(g * m[3] + h * m[7] + i * m[11]),
    0,
    0,
    0,
    1,
  ];
}

/** The same transform with its world in RAS instead of LPS, or the other way round: x and y change sign. */
export function flipLpsRas(m: Mat4): Mat4 {
  return [-m[0], -m[1], -m[2], -m[3], -m[4], -m[5], -m[6], -m[7], m[8], m[9], m[10], m[11], 0, 0, 0, 1];
}

/** Length of one voxel step along i, j and k, in mm. */
export function voxelSizeMm(m: Mat4): Vec3 {
  return [length(column(m, 0)), length(column(m, 1)), length(column(m, 2))];
}
