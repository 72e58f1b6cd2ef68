import { cross, dot, length, normalize, type Vec3 } from "../geometry/index.ts";
import type { DataSet } from "./data-set.ts";
import { InstanceFault } from "./image-frame.ts";
import { type ImagePixelModule, ImagePlaneModule } from "./modules.ts";
import type { SlicePlane } from "./slice-order.ts";
import { validModule } from "./valid-module.ts";

/** How far cosines may be from unit length and a right angle; text of 6 digits gives 1e-6. */
const COSINE_TOLERANCE = 1e-3;

/**
 * Where the pixels of an image lie, or of one frame with its groups put beside each other.
 *
 * @throws InstanceFault
 */
export function slicePlane(dataSet: DataSet, { Rows, Columns }: ImagePixelModule): SlicePlane {
  const advice = "Choose the original series: captures and derived images often lose their position.";
  const plane = validModule(ImagePlaneModule, dataSet, "missing-geometry", advice);
  const [rx, ry, rz, cx, cy, cz] = plane.ImageOrientationPatient as [number, number, number, number, number, number];
  const [betweenRows, betweenColumns] = plane.PixelSpacing as [number, number];
  const row: Vec3 = [rx, ry, rz];
  const column: Vec3 = [cx, cy, cz];
  const isFrame =
    Math.abs(length(row) - 1) < COSINE_TOLERANCE &&
    Math.abs(length(column) - 1) < COSINE_TOLERANCE &&
    Math.abs(dot(row, column)) < COSINE_TOLERANCE;
  if (!isFrame || !(betweenRows > 0) || !(betweenColumns > 0)) {
    throw new InstanceFault(
      "missing-geometry",
      isFrame
        ? "has a pixel spacing that is not positive"
        : "has an orientation that is not two directions at a right angle",
      advice,
    );
  }
  const rowDirection = normalize(row);
  const columnDirection = normalize(column);
  return {
    rows: Rows,
    columns: Columns,
    rowDirection,
    columnDirection,
    normal: normalize(cross(rowDirection, columnDirection)),
    betweenRows,
    betweenColumns,
    positionLps: plane.ImagePositionPatient as readonly number[] as Vec3,
  };
}
