import type { z } from "zod";
import type { SeriesFault } from "../errors.ts";
import type { Vec3 } from "../geometry/index.ts";
import { cross, dot, length, normalize } from "../geometry/index.ts";
import { codecOf } from "./codecs.ts";
import { type DataSet, firstNumber, firstText } from "./data-set.ts";
import { encodedFrames } from "./encoded-frames.ts";
import { CorruptFrameError } from "./frame-codec.ts";
import { frameDataSets, hasFunctionalGroups } from "./functional-groups.ts";
import { type ImageFrame, InstanceFault } from "./image-frame.ts";
import { ImagePixelModule, ImagePlaneModule, ModalityLutModule } from "./modules.ts";
import { isMosaic, mosaicTiles } from "./mosaic.ts";
import type { PixelData } from "./pixel-data.ts";
import type { DicomFile } from "./read-part10.ts";
import type { SlicePlane } from "./slice-order.ts";
import { sopClassOf } from "./sop-class.ts";
import { nameOfTransferSyntax } from "./transfer-syntax.ts";
import { volumeTraits } from "./volume-traits.ts";

/** More pixels in one slice than any scanner makes. */
const MAX_SLICE_PIXELS = 4096 * 4096;

const EXPORT_AGAIN = "Export the series again from its source.";

/**
 * Reads what slices need out of a file: one of a classic image, one of each frame of an enhanced one, one of each tile of
 * a Siemens mosaic.
 *
 * @param instance counted from 1 as received
 * @throws InstanceFault
 */
export function imageFrames(
  { dataSet, pixelData, transferSyntaxUid }: DicomFile,
  instance: number,
): readonly ImageFrame[] {
  const uids = identifiers(dataSet);
  const grouped = hasFunctionalGroups(dataSet);
  const count = firstNumber(dataSet, "NumberOfFrames") ?? 1;
  refuseObject(uids.sopClassUid, pixelData !== undefined, count, grouped);
  if (codecOf(transferSyntaxUid) === undefined) {
    throw new InstanceFault(
      "unsupported-transfer-syntax",
      `is compressed as ${nameOfTransferSyntax(transferSyntaxUid)}, which is not read`,
      "Ask the archive for an uncompressed transfer syntax.",
    );
  }
  refusePhotometric(dataSet);
  const pixel = moduleOf(ImagePixelModule, dataSet, "unreadable-instance", EXPORT_AGAIN);
  refuseLayout(pixel);
  const common = {
    ...uids,
    instance,
    transferSyntaxUid,
    frameOfReferenceUid: firstText(dataSet, "FrameOfReferenceUID") ?? "",
    pixel,
  };
  if (!grouped) {
    const plane = slicePlane(dataSet, pixel);
    const [encoded] = encodedPixels(dataSet, pixelData, 1, pixel);
    const frame = { ...common, plane, rescale: rescaleOf(dataSet), traits: volumeTraits(dataSet), encoded: encoded! };
    return isMosaic(dataSet) ? mosaicTiles(dataSet, frame) : [frame];
  }
  const frames = [...frameDataSets(dataSet)];
  if (frames.length !== count) {
    throw new InstanceFault(
      "unreadable-instance",
      `has ${count} frames but describes ${frames.length} (Per-Frame Functional Groups Sequence)`,
      EXPORT_AGAIN,
    );
  }
  const encoded = encodedPixels(dataSet, pixelData, count, pixel);
  return frames.map((own, n) => ({
    ...common,
    ...(count > 1 && { frame: n + 1 }),
    plane: slicePlane(own, pixel),
    rescale: rescaleOf(own),
    traits: volumeTraits(own),
    encoded: encoded[n]!,
  }));
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

function refuseObject(sopClassUid: string, hasPixels: boolean, frames: number, grouped: boolean): void {
  const { name, kind } = sopClassOf(sopClassUid, hasPixels);
  if (kind === "not-image") {
    throw new InstanceFault("non-image-object", `is not an image (${name})`, "Choose a CT, MR or PET image series.");
  }
  const unsupported =
    kind === "other-image"
      ? `is of a kind that is not read (${name})`
      : grouped
        ? undefined
        : frames > 1
          ? `is a ${name} of several frames that does not say where each one lies (no functional groups)`
          : undefined;
  if (unsupported !== undefined) {
    throw new InstanceFault("unsupported-object", unsupported, "Choose a series of CT, MR or PET images.");
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

function refuseLayout(pixel: ImagePixelModule): void {
  const { Rows, Columns, BitsAllocated, BitsStored, HighBit, PixelRepresentation } = pixel;
  if (Rows === 0 || Columns === 0) {
    throw new InstanceFault("unreadable-instance", "has no rows or no columns", EXPORT_AGAIN);
  }
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
      EXPORT_AGAIN,
    );
  }
}

/** How far cosines may be from unit length and a right angle; text of 6 digits gives 1e-6. */
const COSINE_TOLERANCE = 1e-3;

function slicePlane(dataSet: DataSet, { Rows, Columns }: ImagePixelModule): SlicePlane {
  const advice = "Choose the original series: captures and derived images often lose their position.";
  const plane = moduleOf(ImagePlaneModule, dataSet, "missing-geometry", advice);
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

function rescaleOf(dataSet: DataSet): ModalityLutModule {
  const rescale = moduleOf(ModalityLutModule, dataSet, "unreadable-instance", EXPORT_AGAIN);
  if (rescale.ModalityLUTSequence === undefined) return rescale;
  throw new InstanceFault(
    "unsupported-object",
    "turns stored values into real ones by a lookup table (Modality LUT Sequence), which is not read",
    "Give the series as the scanner made it, with Rescale Slope and Intercept.",
  );
}

/** Views on the pixel data, or copies where they would keep much more memory from being freed than their own. */
function encodedPixels(
  dataSet: DataSet,
  pixelData: PixelData | undefined,
  count: number,
  { Rows, Columns, BitsAllocated }: ImagePixelModule,
): readonly (readonly Uint8Array[])[] {
  if (pixelData === undefined) throw new InstanceFault("unreadable-instance", "has no pixel data", EXPORT_AGAIN);
  const [offsets] = dataSet.ExtendedOffsetTable ?? [];
  try {
    const frames = encodedFrames(
      pixelData,
      count,
      Rows * Columns * (BitsAllocated >> 3),
      offsets instanceof Uint8Array ? offsets : undefined,
    );
    const bytes = frames.flat().reduce((sum, fragment) => sum + fragment.length, 0);
    const held = frames[0]?.[0]?.buffer.byteLength ?? 0;
    return bytes * 2 < held ? frames.map((fragments) => fragments.map((fragment) => fragment.slice())) : frames;
  } catch (cause) {
    if (!(cause instanceof CorruptFrameError)) throw cause;
    throw damagedPixels(cause);
  }
}

export function damagedPixels(cause: CorruptFrameError): InstanceFault {
  return new InstanceFault(
    "corrupt-pixel-data",
    `has damaged pixel data: ${cause.message}`,
    "Send it again from its source.",
    { cause },
  );
}

function moduleOf<T>(schema: z.ZodType<T>, dataSet: DataSet, reason: SeriesFault, advice: string): T {
  const parsed = schema.safeParse(dataSet);
  if (parsed.success) return parsed.data;
  const attributes = [...new Set(parsed.error.issues.map((issue) => String(issue.path[0])))];
  throw new InstanceFault(reason, `lacks a valid ${attributes.join(", ")}`, advice);
}
