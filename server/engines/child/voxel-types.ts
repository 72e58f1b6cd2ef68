import type { Voxels } from "#converters/geometry/index.ts";
import type { VoxelType } from "../protocol.ts";

const constructors = {
  Int8Array,
  Uint8Array,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
} as const satisfies Record<VoxelType, new (length: number) => Voxels>;

export function createVoxels(type: VoxelType, length: number): Voxels {
  return new constructors[type](length);
}
