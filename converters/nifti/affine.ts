import { UnsupportedImageError } from "../errors.ts";
import { determinant, flipLpsRas, fromColumns, type Mat4, scale, type Vec3 } from "../geometry/index.ts";
import type { NiftiHeader } from "./header.ts";

/**
 * The header's transform in LPS mm, chosen as nibabel does: the sform where it has a code, else the qform where that
 * has one, else the voxel sizes with the origin in the middle and i running to the left.
 * @throws UnsupportedImageError "invalid-header" where it is not finite or cannot be inverted
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
  return ijkToLps;
}

function sform({ sform: m }: NiftiHeader): Mat4 {
  return [...m, 0, 0, 0, 1] as unknown as Mat4;
}

/** nifti1.h, METHOD 2: a rotation as three of a unit quaternion's numbers, voxel sizes, and k mirrored where qfac is -1. */
function qform({ quaternion, qoffset, pixdim }: NiftiHeader): Mat4 {
  const squares = quaternion.reduce((sum, part) => sum + part * part, 0);
  if (!(squares < 1.01)) {
    throw new UnsupportedImageError("invalid-header", "The header's qform is not a rotation. Export the image again.");
  }
  // Rounding to float32 may leave a little more than 1; a is 0 then, and the others are scaled to length 1.
  const [b, c, d] = squares > 1 - 1e-7 ? scale(quaternion, 1 / Math.sqrt(squares)) : quaternion;
  const a = squares > 1 - 1e-7 ? 0 : Math.sqrt(1 - squares);
  const [i, j, k] = sizes(pixdim);
  const qfac = pixdim[0] === -1 ? -1 : 1;
  return fromColumns(
    scale([1 - 2 * (c * c + d * d), 2 * (b * c + a * d), 2 * (b * d - a * c)], i),
    scale([2 * (b * c - a * d), 1 - 2 * (b * b + d * d), 2 * (c * d + a * b)], j),
    scale([2 * (b * d + a * c), 2 * (c * d - a * b), 1 - 2 * (b * b + c * c)], k * qfac),
    qoffset,
  );
}

function middle({ size, pixdim }: NiftiHeader): Mat4 {
  const [i, j, k] = sizes(pixdim);
  const origin: Vec3 = [((size[0] - 1) * i) / 2, (-(size[1] - 1) * j) / 2, (-(size[2] - 1) * k) / 2];
  return fromColumns([-i, 0, 0], [0, j, 0], [0, 0, k], origin);
}

/** A size of 0 is read as 1 and a negative one without its sign, as nibabel repairs them. */
function sizes([, ...steps]: NiftiHeader["pixdim"]): Vec3 {
  return steps.map((step) => (step === 0 ? 1 : Math.abs(step))) as unknown as Vec3;
}

function inMm(m: Mat4, mmPerUnit: number): Mat4 {
  return m.map((value, n) => (n < 12 ? value * mmPerUnit : value)) as unknown as Mat4;
}
