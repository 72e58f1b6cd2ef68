import { add, dot, length, normalize, scale, type Vec3 } from "../geometry/index.ts";
import { type DataSet, firstNumber, texts } from "./data-set.ts";
import { type ImageFrame, InstanceFault } from "./image-frame.ts";
import { privateKey, readCsaHeader } from "./siemens-csa.ts";

/** Whether an image is a Siemens mosaic: the slices of one volume, tiled on one plane, row by row. */
export function isMosaic(dataSet: DataSet): boolean {
  return texts(dataSet, "ImageType").includes("MOSAIC");
}

/**
 * The slices of a mosaic. Its Image Position (Patient) is that of a plane as large as the mosaic around the centre of the
 * first slice; the slices are Spacing Between Slices apart, in the direction of the CSA header's SliceNormalVector.
 *
 * @param sheet the mosaic as one frame
 * @throws InstanceFault where the header does not say how many slices there are, how far apart, or in which direction.
 */
export function mosaicTiles(dataSet: DataSet, sheet: ImageFrame): readonly ImageFrame[] {
  const csa = csaHeader(dataSet);
  const count = numberOfTiles(dataSet, csa);
  const direction = csa.get("SliceNormalVector")?.map(Number);
  const spacing = firstNumber(dataSet, "SpacingBetweenSlices");
  const missing = [
    ...(count === undefined ? ["the number of its slices"] : []),
    ...(direction?.length === 3 && direction.every(Number.isFinite) ? [] : ["on which side they lie"]),
    ...(spacing === undefined || !(spacing > 0) ? ["how far apart they are"] : []),
  ];
  if (count === undefined || direction === undefined || spacing === undefined || missing.length > 0) {
    throw unreadable(
      `without ${missing.join(" and ")} in its header (an anonymiser may have removed private elements)`,
    );
  }
  const across = Math.ceil(Math.sqrt(count));
  const { plane } = sheet;
  const [columns, rows] = [plane.columns / across, plane.rows / across];
  if (!Number.isInteger(columns) || !Number.isInteger(rows)) {
    throw unreadable(
      `of ${plane.columns}x${plane.rows} pixels, which are no ${across}x${across} tiles for ${count} slices`,
    );
  }
  const [x, y, z] = direction as [number, number, number];
  const along = dot([x, y, z], plane.normal);
  if (!(Math.abs(along) > 0.99 * length([x, y, z]))) throw unreadable("whose slices do not lie along their normal");
  const step = scale(plane.normal, Math.sign(along) * spacing);
  const first = firstTile(sheet, columns, rows);
  return Array.from({ length: count }, (_, n) => ({
    ...sheet,
    plane: { ...plane, columns, rows, positionLps: add(first, scale(step, n)) },
    tile: [(n % across) * columns, Math.floor(n / across) * rows] as const,
  }));
}

function firstTile({ plane }: ImageFrame, columns: number, rows: number): Vec3 {
  const { rowDirection, columnDirection, betweenColumns, betweenRows, positionLps } = plane;
  const right = scale(normalize(rowDirection), ((plane.columns - columns) / 2) * betweenColumns);
  const down = scale(normalize(columnDirection), ((plane.rows - rows) / 2) * betweenRows);
  return add(positionLps, add(right, down));
}

function csaHeader(dataSet: DataSet): ReadonlyMap<string, readonly string[]> {
  const key = privateKey(dataSet, "0029", "SIEMENS CSA HEADER", "10");
  const bytes = key === undefined ? undefined : dataSet[key]?.[0];
  return bytes instanceof Uint8Array ? readCsaHeader(bytes) : new Map();
}

/** More slices than fit the largest mosaic. */
const MAX_TILES = 1024;

function numberOfTiles(dataSet: DataSet, csa: ReadonlyMap<string, readonly string[]>): number | undefined {
  const key = privateKey(dataSet, "0019", "SIEMENS MR HEADER", "0A");
  const value = key === undefined ? undefined : dataSet[key]?.[0];
  // In implicit VR nothing says that it is a US.
  const stated = value instanceof Uint8Array && value.length === 2 ? value[0]! | (value[1]! << 8) : value;
  const count = typeof stated === "number" ? stated : Number(csa.get("NumberOfImagesInMosaic")?.[0]);
  return Number.isInteger(count) && count > 0 && count <= MAX_TILES ? count : undefined;
}

function unreadable(how: string): InstanceFault {
  return new InstanceFault(
    "unsupported-object",
    `is a Siemens mosaic (many slices tiled in one image) ${how}`,
    "Send the series with its private elements, or convert the mosaic to single slices first.",
  );
}
