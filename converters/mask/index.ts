export {
  type BitVolume,
  countBits,
  countSlice,
  createBitVolume,
  type PlaneAxis,
  planeSize,
  planeWalk,
  readSlice,
  setPlane,
} from "./bit-volume.ts";
