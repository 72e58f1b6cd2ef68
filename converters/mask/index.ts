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
  writePlane,
} from "./bit-volume.ts";
export { type Component, connectedComponents } from "./components.ts";
export { type Diameter, longestAxialDiameter } from "./diameter.ts";
export { fillPolygons } from "./fill-polygons.ts";
export { joinRuns, type RunPieces } from "./join-runs.ts";
export { type ComponentMeasurements, type MaskMeasurements, measure } from "./measure.ts";
export { outlinesOfSlice, type Polygon } from "./outline.ts";
export { packBits, unpackBits } from "./pack.ts";
export type { Runs } from "./runs.ts";
