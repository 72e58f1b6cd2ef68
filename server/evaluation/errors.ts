import { DomainError, type ErrorCode, UnsupportedImageError } from "#converters/errors.ts";
import {
  length,
  subtract,
  transformPoint,
  type Vec3,
  type VolumeGeometry,
  voxelSizeMm,
} from "#converters/geometry/index.ts";

/** Two things that are to be compared lie on different grids. Nothing is resampled here: that would be measured as well. */
export class GridMismatchError extends DomainError {
  override readonly name = "GridMismatchError";
  readonly code = "unsupported-image";
  readonly #figures: Readonly<Record<string, unknown>>;

  /** @param what the labels that do not fit, in words; `onto` is the grid that they should be on */
  constructor(what: string, theirs: VolumeGeometry, onto: VolumeGeometry) {
    const apart = furthestMm(theirs, onto);
    super(
      `The ${what} is ${inWords(theirs)}, the case's grid is ${inWords(onto)}${
        apart === undefined ? "" : `, and their corners lie up to ${apart.toFixed(2)} mm apart`
      }. Give labels that were drawn on the image, or resample them onto it first.`,
    );
    this.#figures = {
      size: theirs.size,
      voxelMm: voxelSizeMm(theirs.ijkToLps),
      expectedSize: onto.size,
      expectedVoxelMm: voxelSizeMm(onto.ijkToLps),
      ...(apart !== undefined && { furthestMm: apart }),
    };
  }

  override get details() {
    return this.#figures;
  }
}

/** Something is wrong with one case of the list; its number is all that is told of it. */
export class EvaluationCaseError extends DomainError {
  override readonly name = "EvaluationCaseError";
  readonly code: ErrorCode;
  override readonly retryable: boolean;
  /** Of the case in the list, from 1. */
  readonly number: number;
  readonly #details: Readonly<Record<string, unknown>>;

  /** @param number of the case in the list, from 1 */
  constructor(number: number, cause: DomainError) {
    super(`Case ${number}: ${cause.message}`, { cause });
    this.number = number;
    this.code = cause.code;
    this.retryable = cause.retryable;
    this.#details = { case: number, ...cause.details };
  }

  override get details() {
    return this.#details;
  }
}

/** Says which of a case's files an error is about. */
export async function ofFile<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof UnsupportedImageError)) throw cause;
    const explanation =
      cause.reason === "not-dicom" ? "It is neither NIfTI nor DICOM. Give another file." : cause.message;
    throw new UnsupportedImageError(cause.reason, `The ${what} cannot be used. ${explanation}`, { cause });
  }
}

function inWords({ size, ijkToLps }: VolumeGeometry): string {
  const voxel = voxelSizeMm(ijkToLps).map((mm) => Number(mm.toPrecision(4)));
  return `${size.join(" x ")} voxels of ${voxel.join(" x ")} mm`;
}

/** Undefined where the sizes differ already. */
function furthestMm(a: VolumeGeometry, b: VolumeGeometry): number | undefined {
  if (a.size.some((voxels, axis) => voxels !== b.size[axis])) return undefined;
  const [i, j, k] = [a.size[0] - 1, a.size[1] - 1, a.size[2] - 1];
  const corners = [0, i].flatMap((x) => [0, j].flatMap((y) => [0, k].map((z): Vec3 => [x, y, z])));
  return Math.max(
    ...corners.map((at) => length(subtract(transformPoint(a.ijkToLps, at), transformPoint(b.ijkToLps, at)))),
  );
}
