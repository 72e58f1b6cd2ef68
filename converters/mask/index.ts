export { type Agreement, agreement } from "./agreement.ts";
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
export { squaredDistances } from "./distance-transform.ts";
export { fillPolygons } from "./fill-polygons.ts";
export { type Instances, splitByEdges } from "./instances.ts";
export { joinRuns, type RunPieces } from "./join-runs.ts";
export { type ComponentMeasurements, type MaskMeasurements, type MeasureOptions, measure } from "./measure.ts";
export { outlinesOfSlice, type Polygon } from "./outline.ts";
export { packBits, unpackBits } from "./pack.ts";
export { findRuns, type Runs } from "./runs.ts";
export { type SizedPieces, splitBySize } from "./split-by-size.ts";
export { hausdorffMm, type SurfaceDistances, surfaceDice, surfaceDistances } from "./surface-distance.ts";
