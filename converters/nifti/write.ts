import type { Volume, VolumeGeometry, Voxels } from "../geometry/index.ts";
import { column, determinant, dot, flipLpsRas, type Mat4, scale, type Vec3, voxelSizeMm } from "../geometry/index.ts";

export interface WriteNiftiOptions {
  /** Whether the file is compressed (.nii.gz). */
  readonly gzip?: boolean;
  /** How many volumes of the geometry's size `voxels` holds, one after the other (the 4th dimension); 1 where not said. */
  readonly volumes?: number;
  /** What a stored value is multiplied by to give the real one (scl_slope); 1 where not said. */
  readonly slope?: number;
  /** At most 79 ASCII characters; it must name no patient. */
  readonly description?: string;
}

/**
 * A single-file NIfTI-1 (NIfTI-2 where an axis is longer than 32,767) with the voxels as they are, in mm. The sform
 * holds the affine; the qform as well where the axes are at right angles, which is all that it can express.
 * @throws RangeError where there are not as many voxels as the geometry and `volumes` ask for
 */
export function writeNifti(volume: Pick<Volume, "geometry" | "voxels">, options: WriteNiftiOptions = {}): Uint8Array {
  const [start, voxels] = niftiParts(volume, options);
  const file = new Uint8Array(start.length + voxels.length);
  file.set(start);
  file.set(voxels, start.length);
  // Loaded on first use: it would delay those who write no gzip.
  return options.gzip ? process.getBuiltinModule("node:zlib").gzipSync(file, { level: 4 }) : file;
}

/** The two parts of an uncompressed file as `writeNifti` makes it: its header, and a view on the voxels themselves. */
export function niftiParts(
  { geometry, voxels }: Pick<Volume, "geometry" | "voxels">,
  options: Omit<WriteNiftiOptions, "gzip"> = {},
): readonly [header: Uint8Array, voxels: Uint8Array] {
  const expected = geometry.size.reduce((product, length) => product * length, options.volumes ?? 1);
  if (voxels.length !== expected) throw new RangeError(`${voxels.length} voxels where ${expected} belong`);
  return [niftiHeader(geometry, voxels, options), new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength)];
}

/**
 * What comes before the voxels of an uncompressed file: the header that `writeNifti` makes.
 * @param like voxels of the type that they will have
 */
export function niftiHeader(
  geometry: VolumeGeometry,
  like: Voxels,
  { volumes = 1, slope = 1, description = "Parse3D, research use only" }: Omit<WriteNiftiOptions, "gzip"> = {},
): Uint8Array {
  const header: HeaderFields = {
    dim: [volumes === 1 ? 3 : 4, ...geometry.size, volumes, 1, 1, 1],
    ras: flipLpsRas(geometry.ijkToLps),
    sizesMm: voxelSizeMm(geometry.ijkToLps),
    code: dataTypeCode(like),
    bits: like.BYTES_PER_ELEMENT * 8,
    slope,
    description: description.replace(/[^ -~]/g, "?").slice(0, 79),
  };
  return header.dim.some((length) => length > 32767) ? header2(header) : header1(header);
}

interface HeaderFields {
  /** Rank, then seven lengths. */
  readonly dim: readonly number[];
  readonly ras: Mat4;
  readonly sizesMm: Vec3;
  readonly code: number;
  readonly bits: number;
  readonly slope: number;
  readonly description: string;
}

const MILLIMETRE = 2;
/** "Scanner-based anatomical coordinates". */
const SCANNER = 1;

/** 348 bytes and four that say that no extension follows. */
function header1({ dim, ras, sizesMm, code, bits, slope, description }: HeaderFields): Uint8Array {
  const bytes = new Uint8Array(352);
  const view = new DataView(bytes.buffer);
  const { qfac, quaternion } = rotationOf(ras);
  view.setInt32(0, 348, true);
  for (const [n, length] of dim.entries()) view.setInt16(40 + 2 * n, length, true);
  view.setInt16(70, code, true);
  view.setInt16(72, bits, true);
  for (const [n, step] of [qfac, ...sizesMm].entries()) view.setFloat32(76 + 4 * n, step, true);
  view.setFloat32(108, bytes.length, true);
  view.setFloat32(112, slope, true);
  view.setUint8(123, MILLIMETRE);
  writeText(bytes, 148, description);
  view.setInt16(252, quaternion ? SCANNER : 0, true);
  view.setInt16(254, SCANNER, true);
  for (const [n, part] of [...(quaternion ?? [0, 0, 0]), ...column(ras, 3)].entries()) {
    view.setFloat32(256 + 4 * n, part, true);
  }
  for (let n = 0; n < 12; n++) view.setFloat32(280 + 4 * n, ras[n]!, true);
  writeText(bytes, 344, "n+1");
  return bytes;
}

/** 540 bytes and four that say that no extension follows. */
function header2({ dim, ras, sizesMm, code, bits, slope, description }: HeaderFields): Uint8Array {
  const bytes = new Uint8Array(544);
  const view = new DataView(bytes.buffer);
  const { qfac, quaternion } = rotationOf(ras);
  view.setInt32(0, 540, true);
  writeText(bytes, 4, "n+2\0\r\n\x1a\n");
  view.setInt16(12, code, true);
  view.setInt16(14, bits, true);
  for (const [n, length] of dim.entries()) view.setBigInt64(16 + 8 * n, BigInt(length), true);
  for (const [n, step] of [qfac, ...sizesMm].entries()) view.setFloat64(104 + 8 * n, step, true);
  view.setBigInt64(168, BigInt(bytes.length), true);
  view.setFloat64(176, slope, true);
  writeText(bytes, 240, description);
  view.setInt32(344, quaternion ? SCANNER : 0, true);
  view.setInt32(348, SCANNER, true);
  for (const [n, part] of [...(quaternion ?? [0, 0, 0]), ...column(ras, 3)].entries()) {
    view.setFloat64(352 + 8 * n, part, true);
  }
  for (let n = 0; n < 12; n++) view.setFloat64(400 + 8 * n, ras[n]!, true);
  view.setInt32(500, MILLIMETRE, true);
  return bytes;
}

/** nifti1.h, METHOD 2: b, c, d of the unit quaternion with a >= 0; none where the axes are not at right angles. */
function rotationOf(ras: Mat4): { qfac: 1 | -1; quaternion?: Vec3 } {
  const qfac = determinant(ras) < 0 ? -1 : 1;
  const [i, j, k] = ([0, 1, 2] as const).map((c) => {
    const direction = column(ras, c);
    return scale(direction, (c === 2 ? qfac : 1) / Math.hypot(...direction));
  }) as [Vec3, Vec3, Vec3];
  if (Math.max(...[dot(i, j), dot(i, k), dot(j, k)].map(Math.abs)) > 1e-5) return { qfac };
  const [r11, r21, r31] = i;
  const [r12, r22, r32] = j;
  const [r13, r23, r33] = k;
  // The largest of 4 a^2, 4 b^2, 4 c^2, 4 d^2 is divided by, so that nothing is lost near 180 degrees.
  const squares = [1 + r11 + r22 + r33, 1 + r11 - r22 - r33, 1 - r11 + r22 - r33, 1 - r11 - r22 + r33];
  const largest = squares.indexOf(Math.max(...squares));
  const s = 2 * Math.sqrt(squares[largest]!);
  const [a, b, c, d] = [
    [s / 4, (r32 - r23) / s, (r13 - r31) / s, (r21 - r12) / s],
    [(r32 - r23) / s, s / 4, (r12 + r21) / s, (r13 + r31) / s],
    [(r13 - r31) / s, (r12 + r21) / s, s / 4, (r23 + r32) / s],
    [(r21 - r12) / s, (r13 + r31) / s, (r23 + r32) / s, s / 4],
  ][largest] as [number, number, number, number];
  return { qfac, quaternion: a < 0 ? [-b, -c, -d] : [b, c, d] };
}

function dataTypeCode(voxels: Voxels): number {
  if (voxels instanceof Uint8Array) return 2;
  if (voxels instanceof Int16Array) return 4;
  if (voxels instanceof Int32Array) return 8;
  if (voxels instanceof Float32Array) return 16;
  if (voxels instanceof Float64Array) return 64;
  if (voxels instanceof Int8Array) return 256;
  return voxels instanceof Uint16Array ? 512 : 768;
}

function writeText(bytes: Uint8Array, at: number, text: string): void {
  for (let n = 0; n < text.length; n++) bytes[at + n] = text.charCodeAt(n);
}
