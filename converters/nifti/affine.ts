import { UnsupportedImageError } from "../errors.ts";
import { determinant, flipLpsRas, fromColumns, type Mat4, scale, type Vec3 } from "../geometry/index.ts";
import type { NiftiHeader } from "./header.ts";

/** Sizes in millimetres that are called metres, and the like. */
const LARGEST_VOXEL_MM = 200;

/**
 * The header's transform in LPS mm, chosen as nibabel does: the sform where it has a code, else the qform where that
 * has one, else the voxel sizes with the origin in the middle and i running to the left.
 * @throws UnsupportedImageError "invalid-header" where it is not finite or cannot be inverted, or has no voxel's sizes
 */
export function ijkToLpsOf(header: NiftiHeader): Mat4 {
  const ras = header.sformCode > 0 ? sform(header) : header.qformCode > 0 ? qform(header) : middle(header);
  const ijkToLps = flipLpsRas(inMm(ras, header.mmPerUnit));
  const det = determinant(ijkToLps);
  const extent = Math.hypot(...ijkToLps.filter((_, n) => n < 12 && n % 4 !== 3));
  if (!ijkToLps.every(Number.isFinite) || !(Math.abs(det) > 1e-9 * extent ** 3) || extent === 0) {
    const explanation =
      "The header's transform to patient coordinates is not usable (not finite, or flat). Export again.";
    throw new UnsupportedImageError("invalid-header", explanation);
  }
  const sides = [0, 4, 8].map((n) => Math.hypot(ijkToLps[n]!, ijkToLps[n + 1]!, ijkToLps[n + 2]!));
  if (sides.some((mm) => mm > LARGEST_VOXEL_MM)) {
    const measured = sides.map((mm) => Number(mm.toPrecision(3))).join(" x ");
    const explanation = `The header's voxels of ${measured} mm are larger than any scanner's: its units or sizes are wrong. Export again.`;
    throw new UnsupportedImageError("invalid-header", explanation);
  }
  return ijkToLps;
}

function sform({ sform: m }: NiftiHeader): Mat4 {
  return [...m, 0, 0, 0, 1] as unknown as Mat4;
}

/** nifti1.h, METHOD 2: a rotation as three of a unit quaternion's numbers, voxel sizes, and k mirrored where qfac is -1. */
function qform({ quaternion, qoffset, pixdim, size }: NiftiHeader): Mat4 {
  const squares = quaternion.reduce((sum, part) => sum + part * part, 0);
  if (!(squares < 1.01)) {
    throw new UnsupportedImageError("invalid-header", "The header's qform is not a rotation. Export the image again.");
  }
  // Rounding to float32 may leave a little more than 1; a is 0 then, and the others are scaled to length 1.
  const [b, c, d] = squares > 1 - 1e-7 ? scale(quaternion, 1 / Math.sqrt(squares)) : quaternion;
  const a = squares > 1 - 1e-7 ? 0 : Math.sqrt(1 - squares);
  const [i, j, k] = sizes(pixdim, size);
  const qfac = pixdim[0] === -1 ? -1 : 1;
  return fromColumns(
    scale([1 - 2 * (c * c + d * d), 2 * (b * c + a * d), 2 * (b * d - a * c)], i),
    scale([2 * (b * c - a * d), 1 - 2 * (b * b + d * d), 2 * (c * d + a * b)], j),
    scale([2 * (b * d + a * c), 2 * (c * d - a * b), 1 - 2 * (b * b + c * c)], k * qfac),
    qoffset,
  );
}

function middle({ size, pixdim }: NiftiHeader): Mat4 {
  const [i, j, k] = sizes(pixdim, size);
  const origin: Vec3 = [((size[0] - 1) * i) / 2, (-(size[1] - 1) * j) / 2, (-(size[2] - 1) * k) / 2];
  return fromColumns([-i, 0, 0], [0, j, 0], [0, 0, k], origin);
}

/**
 * A negative size is read without its sign, as nibabel repairs it. So is a size of 0, as 1, but only along an axis of one
 * voxel: elsewhere lengths and volumes would be guessed.
 */
function sizes([, ...steps]: NiftiHeader["pixdim"], size: Vec3): Vec3 {
  if (steps.slice(0, 3).some((step, axis) => step === 0 && size[axis]! > 1)) {
    throw new UnsupportedImageError("invalid-header", "The header has no voxel size along an axis. Export again.");
  }
  return steps.map((step) => (step === 0 ? 1 : Math.abs(step))) as unknown as Vec3;
}

function inMm(m: Mat4, mmPerUnit: number): Mat4 {
  return m.map((value, n) => (n < 12 ? value * mmPerUnit : value)) as unknown as Mat4;
}
