import type { z } from "zod";
import type { SeriesFault } from "../errors.ts";
import type { Vec3 } from "../geometry/index.ts";
import { cross, dot, length, normalize } from "../geometry/index.ts";
import { codecOf } from "./codecs.ts";
import { type DataSet, firstNumber, firstText, texts } from "./data-set.ts";
import { ImagePixelModule, ImagePlaneModule, ModalityLutModule } from "./modules.ts";
import type { PixelData } from "./pixel-data.ts";
import type { DicomFile } from "./read-part10.ts";
import type { SlicePlane } from "./slice-geometry.ts";
import { sopClassOf } from "./sop-class.ts";
import { nameOfTransferSyntax } from "./transfer-syntax.ts";

/** One instance that holds one slice of a volume, with its pixels still encoded. */
export interface ImageInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly transferSyntaxUid: string;
  /** Empty where the instance has none. */
  readonly frameOfReferenceUid: string;
  readonly plane: SlicePlane;
  readonly pixel: ImagePixelModule;
  readonly rescale: ModalityLutModule;
  readonly pixelData: PixelData;
}

/** Why one instance cannot be a slice; it becomes an UnsupportedSeriesError that says which instance. */
export class InstanceFault extends Error {
  override readonly name = "InstanceFault";
  readonly reason: SeriesFault;
  /** What the user can do. */
  readonly advice: string;

  /** @param problem reads on from "Instance 3 of 40 as received ...". */
  constructor(reason: SeriesFault, problem: string, advice: string, options: ErrorOptions = {}) {
    super(problem, options);
    this.reason = reason;
    this.advice = advice;
  }
}

/** More pixels in one slice than any scanner makes. */
const MAX_SLICE_PIXELS = 4096 * 4096;

/**
 * Reads what a slice needs out of a file.
 *
 * @throws InstanceFault
 */
export function imageInstance({ dataSet, pixelData, transferSyntaxUid }: DicomFile): ImageInstance {
  const uids = identifiers(dataSet);
  refuseObject(uids.sopClassUid, dataSet, pixelData !== undefined);
  if (codecOf(transferSyntaxUid) === undefined) {
    throw new InstanceFault(
      "unsupported-transfer-syntax",
      `is compressed as ${nameOfTransferSyntax(transferSyntaxUid)}, which is not read`,
      "Ask the archive for an uncompressed or JPEG 2000 transfer syntax.",
    );
  }
  refusePhotometric(dataSet);
  const pixel = module(ImagePixelModule, dataSet, "unreadable-instance", "Export the series again from its source.");
  refuseLayout(pixel);
  const plane = slicePlane(dataSet, pixel);
  const rescale = module(ModalityLutModule, dataSet, "unreadable-instance", "Export the series again from its source.");
  if (rescale.ModalityLUTSequence !== undefined) {
    throw new InstanceFault(
      "unsupported-object",
      "turns stored values into real ones by a lookup table (Modality LUT Sequence), which is not read",
      "Give the series as the scanner made it, with Rescale Slope and Intercept.",
    );
  }
  if (pixelData === undefined) {
    throw new InstanceFault("unreadable-instance", "has no pixel data", "Export the series again from its source.");
  }
  return {
    ...uids,
    transferSyntaxUid,
    frameOfReferenceUid: firstText(dataSet, "FrameOfReferenceUID") ?? "",
    plane,
    pixel,
    rescale,
    pixelData,
  };
}

function identifiers(dataSet: DataSet) {
  const missing = ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"].filter(
    (keyword) => firstText(dataSet, keyword) === undefined,
  );
  if (missing.length > 0) {
    throw new InstanceFault(
      "missing-identifiers",
      `has no ${missing.join(", ")}`,
      "A result could not refer to it. Repair the identifiers (an anonymiser may have emptied them) and send it again.",
    );
  }
  const uid = (keyword: string) => firstText(dataSet, keyword) ?? "";
  return {
    sopClassUid: uid("SOPClassUID"),
    sopInstanceUid: uid("SOPInstanceUID"),
    studyInstanceUid: uid("StudyInstanceUID"),
    seriesInstanceUid: uid("SeriesInstanceUID"),
  };
}

function refuseObject(sopClassUid: string, dataSet: DataSet, hasPixels: boolean): void {
  const { name, kind } = sopClassOf(sopClassUid, hasPixels);
  if (kind === "not-image") {
    throw new InstanceFault("non-image-object", `is not an image (${name})`, "Choose a CT, MR or PET image series.");
  }
  const unsupported =
    kind === "other-image"
      ? `is of a kind that is not read (${name})`
      : (firstNumber(dataSet, "NumberOfFrames") ?? 1) > 1
        ? `is a ${name} of several frames, which is not read`
        : texts(dataSet, "ImageType").includes("MOSAIC")
          ? "is a Siemens mosaic (many slices tiled in one image), which is not read"
          : undefined;
  if (unsupported !== undefined) {
    throw new InstanceFault("unsupported-object", unsupported, "Choose a series of single-frame CT, MR or PET images.");
  }
}

function refusePhotometric(dataSet: DataSet): void {
  const photometric = firstText(dataSet, "PhotometricInterpretation");
  const samples = firstNumber(dataSet, "SamplesPerPixel") ?? 1;
  if (photometric === undefined || (samples === 1 && photometric.startsWith("MONOCHROME"))) return;
  throw new InstanceFault(
    "unsupported-photometric",
    `is a colour image (${photometric}, ${samples} samples a pixel)`,
    "Choose the grey-scale series that it was made from.",
  );
}

function refuseLayout({
  Rows,
  Columns,
  BitsAllocated,
  BitsStored,
  HighBit,
  PixelRepresentation,
}: ImagePixelModule): void {
  const advice = "Export the series again from its source.";
  if (Rows === 0 || Columns === 0) throw new InstanceFault("unreadable-instance", "has no rows or no columns", advice);
  if (Rows * Columns > MAX_SLICE_PIXELS) {
    throw new InstanceFault(
      "too-large",
      `declares ${Columns}x${Rows} pixels; up to 4096x4096 are read`,
      "Choose a series of smaller images.",
    );
  }
  const layoutHolds =
    (BitsAllocated === 8 || BitsAllocated === 16 || BitsAllocated === 32) &&
    BitsStored >= 1 &&
    HighBit < BitsAllocated &&
    HighBit + 1 >= BitsStored &&
    PixelRepresentation <= 1;
  if (!layoutHolds) {
    throw new InstanceFault(
      "unreadable-instance",
      `declares pixels that cannot be: ${BitsStored} bits stored up to bit ${HighBit} in ${BitsAllocated} allocated, representation ${PixelRepresentation}`,
      advice,
    );
  }
}

/** How far cosines may be from unit length and a right angle; text of 6 digits gives 1e-6. */
const COSINE_TOLERANCE = 1e-3;

function slicePlane(dataSet: DataSet, { Rows, Columns }: ImagePixelModule): SlicePlane {
  const advice = "Choose the original series: captures and derived images often lose their position.";
  const plane = module(ImagePlaneModule, dataSet, "missing-geometry", advice);
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

function module<T>(schema: z.ZodType<T>, dataSet: DataSet, reason: SeriesFault, advice: string): T {
  const parsed = schema.safeParse(dataSet);
  if (parsed.success) return parsed.data;
  const attributes = [...new Set(parsed.error.issues.map((issue) => String(issue.path[0])))];
  throw new InstanceFault(reason, `lacks a valid ${attributes.join(", ")}`, advice);
}
