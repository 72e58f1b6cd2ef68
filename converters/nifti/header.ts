import { UnsupportedImageError } from "../errors.ts";
import { type DataType, dataTypeOf } from "./data-type.ts";

type Triple = readonly [number, number, number];

/** What of a NIfTI-1 or NIfTI-2 header is used; numbers as they stand in the file, checked for what reading needs. */
export interface NiftiHeader {
  readonly version: 1 | 2;
  /** "single": header and voxels in one file (n+1); "pair": voxels in an .img file of their own (ni1). */
  readonly layout: "single" | "pair";
  readonly littleEndian: boolean;
  /** Voxels along i, j, k. */
  readonly size: Triple;
  /** Product of dim[4] to dim[7]: time points, vector components, ... */
  readonly volumes: number;
  readonly dataType: DataType;
  /** pixdim[0] to pixdim[3]. */
  readonly pixdim: readonly [qfac: number, i: number, j: number, k: number];
  /** Where the voxels begin. */
  readonly voxelOffset: number;
  readonly slope: number;
  readonly intercept: number;
  /** How many mm one spatial unit is; 1 where the file does not say. */
  readonly mmPerUnit: number;
  readonly qformCode: number;
  readonly sformCode: number;
  readonly quaternion: Triple;
  readonly qoffset: Triple;
  /** Three rows of four. */
  readonly sform: readonly number[];
}

/** Bytes that hold any NIfTI header. */
export const headerBytes = 540;

/** Which NIfTI the bytes begin with; undefined where none. */
export function detect(bytes: Uint8Array): Pick<NiftiHeader, "version" | "layout" | "littleEndian"> | undefined {
  if (bytes.length < 348) return undefined;
  const view = viewOf(bytes);
  for (const littleEndian of [true, false]) {
    const size = view.getInt32(0, littleEndian);
    if (size !== 348 && size !== 540) continue;
    const version = size === 348 ? 1 : 2;
    const magic = String.fromCharCode(...bytes.subarray(version === 1 ? 344 : 4, version === 1 ? 348 : 8));
    if (magic === `n+${version}\0`) return { version, layout: "single", littleEndian };
    if (magic === `ni${version}\0`) return { version, layout: "pair", littleEndian };
  }
  return undefined;
}

/** @throws UnsupportedImageError "not-nifti", "truncated", "unsupported-datatype", "unsupported-dimensions", "invalid-header" */
export function parseHeader(bytes: Uint8Array): NiftiHeader {
  const kind = detect(bytes);
  if (!kind) {
    const analyze = bytes.length >= 348 && [true, false].some((order) => viewOf(bytes).getInt32(0, order) === 348);
    throw new UnsupportedImageError(
      "not-nifti",
      analyze
        ? "This is an Analyze 7.5 header, which does not say where left is. Convert the image to NIfTI."
        : "The file is not a NIfTI image. Give a .nii or .nii.gz file.",
    );
  }
  const { version, littleEndian } = kind;
  if (version === 2 && bytes.length < headerBytes) {
    throw new UnsupportedImageError("truncated", "The file ends within its NIfTI-2 header. Fetch or export it again.");
  }
  const view = viewOf(bytes);
  const int16 = (at: number) => view.getInt16(at, littleEndian);
  const int32 = (at: number) => view.getInt32(at, littleEndian);
  const int64 = (at: number) => Number(view.getBigInt64(at, littleEndian));
  const float32 = (at: number) => view.getFloat32(at, littleEndian);
  const float64 = (at: number) => view.getFloat64(at, littleEndian);
  const several = (read: (at: number) => number, at: number, count: number, step: number) =>
    Array.from({ length: count }, (_, n) => read(at + n * step));
  const real = version === 1 ? float32 : float64;
  const step = version === 1 ? 4 : 8;
  const triple = (at: number) => several(real, at, 3, step) as unknown as Triple;
  const dim = version === 1 ? several(int16, 40, 8, 2) : several(int64, 16, 8, 8);
  return {
    ...kind,
    ...dimensions(dim),
    dataType: dataTypeOf(int16(version === 1 ? 70 : 12)),
    pixdim: several(real, version === 1 ? 76 : 104, 4, step) as unknown as NiftiHeader["pixdim"],
    voxelOffset: version === 1 ? float32(108) : int64(168),
    slope: real(version === 1 ? 112 : 176),
    intercept: real(version === 1 ? 116 : 184),
    mmPerUnit: MM_PER_UNIT[(version === 1 ? view.getUint8(123) : int32(500)) & 7] ?? 1,
    qformCode: version === 1 ? int16(252) : int32(344),
    sformCode: version === 1 ? int16(254) : int32(348),
    quaternion: triple(version === 1 ? 256 : 352),
    qoffset: triple(version === 1 ? 268 : 376),
    sform: several(real, version === 1 ? 280 : 400, 12, step),
  };
}

/** xyzt_units: metre, millimetre, micrometre. */
const MM_PER_UNIT: Readonly<Record<number, number>> = { 1: 1000, 2: 1, 3: 0.001 };

function dimensions(dim: readonly number[]): { size: Triple; volumes: number } {
  const [rank = 0, ...lengths] = dim;
  if (rank < 1 || rank > 7) {
    throw new UnsupportedImageError("unsupported-dimensions", `The header declares ${rank} dimensions; 1 to 7 can be.`);
  }
  const used = lengths.slice(0, rank);
  const wrong = used.findIndex((length) => !(length >= 1 && Number.isSafeInteger(length)));
  if (wrong >= 0) {
    const explanation = `The header declares a length of ${used[wrong]} along dimension ${wrong + 1}. Export it again.`;
    throw new UnsupportedImageError("unsupported-dimensions", explanation);
  }
  const [ni = 1, nj = 1, nk = 1, ...rest] = used;
  return { size: [ni, nj, nk], volumes: rest.reduce((product, length) => product * length, 1) };
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
