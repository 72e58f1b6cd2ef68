import type { Mat4 } from "./affine.ts";
import type { Vec3 } from "./vec3.ts";

/** Where a regular grid of voxels lies in the patient. */
export interface VolumeGeometry {
  /** Voxels along i, j, k. */
  readonly size: Vec3;
  /** Centre of voxel (i, j, k) -> mm in LPS (DICOM's patient axes). */
  readonly ijkToLps: Mat4;
  readonly frameOfReferenceUid: string;
}

export type Voxels =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

export type VoxelUnit = "HU" | "SUV" | "Bq/mL" | "arbitrary";

/** One frame of one DICOM instance that a slice came from: what a SEG frame refers to. */
export interface SourceInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  /** Frame number, counted from 1; absent where the instance has a single frame. */
  readonly frame?: number;
  /** The slice k that it fills. */
  readonly sliceIndex: number;
  /** Centre of the slice's voxel (0, 0), mm in LPS: its Image Position (Patient). */
  readonly positionLps: Vec3;
  /** The slice lies in the frame's plane, but its pixels are not the frame's: tilt was undone, or a mosaic was cut up. */
  readonly pixelsMoved?: true;
}

/** The slices that a regular grid was interpolated from, as they were sent: what is stored of an answer lies on these. */
export interface SliceStack {
  /**
   * Columns, rows and slices. Rows, columns and the normal run as those of the volume do; where each slice lies, and how far
   * from the next, its source says.
   */
  readonly geometry: VolumeGeometry;
  /** One for each slice, upwards along the normal. */
  readonly sources: readonly SourceInstance[];
  /** Where the first pixel of each slice lies: in voxels (i, j, k) of the volume, which need not be whole. */
  readonly corners: readonly Vec3[];
}

/** Voxel values in `unit`, i fastest: value of (i, j, k) = voxels[(k * nj + j) * ni + i]. */
export interface Volume<T extends Voxels = Voxels> {
  readonly geometry: VolumeGeometry;
  readonly voxels: T;
  readonly unit: VoxelUnit;
  /** DICOM's Modality (0008,0060): "CT", "MR", ...; "OT" where a file does not say. */
  readonly modality: string;
  /** One for each slice, by sliceIndex; empty where the volume did not come from DICOM. */
  readonly sources: readonly SourceInstance[];
  /** Only where the volume is a regular grid that its slices are not. */
  readonly stack?: SliceStack;
}
