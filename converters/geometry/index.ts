export {
  column,
  determinant,
  flipLpsRas,
  fromColumns,
  identity,
  invert,
  type Mat4,
  multiply,
  transformPoint,
  voxelSizeMm,
} from "./affine.ts";
export { orientationOf, type Reorientation, reorient, reorientationTo, restorePlane } from "./reorient.ts";
export { resampleNearest, resampleTrilinear, sameGrid } from "./resample.ts";
export { add, cross, dot, length, normalize, scale, subtract, type Vec3 } from "./vec3.ts";
export type { SliceStack, SourceInstance, Volume, VolumeGeometry, Voxels, VoxelUnit } from "./volume.ts";
