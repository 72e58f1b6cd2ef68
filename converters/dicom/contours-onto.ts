import { UnsupportedImageError } from "../errors.ts";
import type { Vec3 } from "../geometry/index.ts";
import { type BitVolume, createBitVolume, fillPolygons, type Polygon } from "../mask/index.ts";
import type { DecodedRoi, RoiContour } from "./decode-rtstruct.ts";
import { geometryOf, type Slices, voxelPlaces } from "./voxel-places.ts";

/** Slices that a contour may lie beside one: half a slice would be another's. */
const OFF_SLICE = 0.25;

/** Contours that enclose something (PS3.3 section C.8.8.6.1); points and open lines enclose nothing. */
const CLOSED: ReadonlySet<string> = new Set(["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"]);

/**
 * An ROI as a mask on a grid, or on slices that lie where their sources say: a voxel belongs to it where its centre lies inside the contour, or inside an odd number
 * of the slice's contours where they lie in each other. What reaches beyond the slices' edges is cut off.
 *
 * @throws UnsupportedImageError "unsupported-dimensions" where a contour lies in no slice's plane, or in another frame of
 * reference
 */
export function contoursOnto(roi: DecodedRoi, onto: Slices): BitVolume {
  const geometry = geometryOf(onto);
  const theirs = roi.frameOfReferenceUid;
  if (theirs !== "" && geometry.frameOfReferenceUid !== "" && theirs !== geometry.frameOfReferenceUid) {
    throw offGrid("they are in another frame of reference");
  }
  const placeOf = voxelPlaces(onto);
  const slices = new Map<number, Polygon[]>();
  for (const [n, contour] of roi.contours.entries()) {
    if (!CLOSED.has(contour.geometricType) || contour.points.length < 3) continue;
    const { k, polygon } = planarPolygon(contour, placeOf, geometry.size[2], n);
    const polygons = slices.get(k);
    if (polygons === undefined) slices.set(k, [polygon]);
    else polygons.push(polygon);
  }
  const mask = createBitVolume(geometry.size);
  for (const [k, polygons] of slices) fillPolygons(mask, k, polygons);
  return mask;
}

function planarPolygon({ points }: RoiContour, placeOf: (lps: Vec3) => Vec3, slices: number, n: number) {
  const ijk = points.map(placeOf);
  const k = Math.round(ijk[0]![2]);
  if (ijk.some((point) => !(Math.abs(point[2] - k) <= OFF_SLICE))) {
    throw offGrid(`contour ${n + 1} lies between its slices, or across them`);
  }
  if (k < 0 || k >= slices) throw offGrid(`contour ${n + 1} lies above or below it`);
  return { k, polygon: ijk.map(([i, j]) => [i, j] as const) };
}

function offGrid(what: string): UnsupportedImageError {
  return new UnsupportedImageError(
    "unsupported-dimensions",
    `The contours are not on the image's slices: ${what}. Use the series that they were drawn on.`,
  );
}
