import { codecOf } from "./codecs.ts";
import { type DataSet, firstNumber, firstText } from "./data-set.ts";
import { encodedFrames } from "./encoded-frames.ts";
import { CorruptFrameError } from "./frame-codec.ts";
import { frameDataSets, hasFunctionalGroups } from "./functional-groups.ts";
import { type FrameBytes, type ImageFrame, InstanceFault } from "./image-frame.ts";
import { lossyCompressionOf } from "./lossy-compression.ts";
import { modalityLut } from "./modality-lut.ts";
import { ImagePixelModule, ModalityLutModule } from "./modules.ts";
import { isMosaic, mosaicTiles } from "./mosaic.ts";
import { petHeader } from "./pet-header.ts";
import type { PixelData } from "./pixel-data.ts";
import { fetchedFrames, type PixelSource } from "./pixel-source.ts";
import type { SourcedFile } from "./read-header.ts";
import { realWorldMappings } from "./real-world-values.ts";
import { slicePlane } from "./slice-plane.ts";
import { SOP_CLASS, sopClassOf } from "./sop-class.ts";
import { mayBeStack, stackedFrames } from "./stacked-frames.ts";
import { nameOfTransferSyntax } from "./transfer-syntax.ts";
import { validModule } from "./valid-module.ts";
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
  { dataSet, pixelData, pixelSource, transferSyntaxUid }: SourcedFile,
  instance: number,
): readonly ImageFrame[] {
  const pixels = pixelData ?? pixelSource;
  const uids = identifiers(dataSet);
  const grouped = hasFunctionalGroups(dataSet);
  const count = Math.max(1, Math.trunc(firstNumber(dataSet, "NumberOfFrames") ?? 1));
  refuseObject(uids.sopClassUid, pixels !== undefined, count, grouped || mayBeStack(uids.sopClassUid));
  if (codecOf(transferSyntaxUid) === undefined) {
    throw new InstanceFault(
      "unsupported-transfer-syntax",
      `is compressed as ${nameOfTransferSyntax(transferSyntaxUid)}, which is not read`,
      "Ask the archive for an uncompressed transfer syntax.",
    );
  }
  refusePhotometric(dataSet);
  const pixel = validModule(ImagePixelModule, dataSet, "unreadable-instance", EXPORT_AGAIN);
  refuseLayout(pixel);
  const lossyCompression = lossyCompressionOf(dataSet, transferSyntaxUid);
  const common = {
    ...uids,
    instance,
    transferSyntaxUid,
    pixel,
    ...(lossyCompression && { lossyCompression }),
  };
  const isPet = firstText(dataSet, "Modality") === "PT";
  const frameOf = (own: DataSet, encoded: FrameBytes): ImageFrame => ({
    ...common,
    frameOfReferenceUid: firstText(own, "FrameOfReferenceUID") ?? "",
    plane: slicePlane(own, pixel),
    ...valuesOf(own, pixel),
    mappings: realWorldMappings(own),
    ...(isPet && { pet: petHeader(own) }),
    traits: volumeTraits(own),
    encoded,
  });
  const stacked =
    !grouped && mayBeStack(uids.sopClassUid) && (count > 1 || uids.sopClassUid === SOP_CLASS.nuclearMedicine);
  if (!grouped && !stacked) {
    const [encoded] = encodedPixels(dataSet, pixels, 1, pixel);
    const frame = frameOf(dataSet, encoded!);
    return isMosaic(dataSet) ? mosaicTiles(dataSet, frame) : [frame];
  }
  if (stacked) {
    // Before anything is made for each frame: a header may declare millions.
    const encoded = encodedPixels(dataSet, pixels, count, pixel);
    const { dataSets, remark } = stackedFrames(dataSet, uids.sopClassUid, encoded.length);
    return numbered(dataSets, count, (own, n) => ({ ...frameOf(own, encoded[n]!), ...(remark && { remark }) }));
  }
  const frames = [...frameDataSets(dataSet)];
  if (frames.length !== count) {
    throw new InstanceFault(
      "unreadable-instance",
      `has ${count} frames but describes ${frames.length} (Per-Frame Functional Groups Sequence)`,
      EXPORT_AGAIN,
    );
  }
  const encoded = encodedPixels(dataSet, pixels, count, pixel);
  return numbered(frames, count, (own, n) => frameOf(own, encoded[n]!));
}

/** The frames of one instance, with their number where there are several. */
function numbered(
  dataSets: readonly DataSet[],
  count: number,
  frameOf: (own: DataSet, n: number) => ImageFrame,
): readonly ImageFrame[] {
  return dataSets.map((own, n) => ({ ...frameOf(own, n), ...(count > 1 && { frame: n + 1 }) }));
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

function refuseObject(sopClassUid: string, hasPixels: boolean, frames: number, placed: boolean): void {
  const { name, kind } = sopClassOf(sopClassUid, hasPixels);
  if (kind === "not-image") {
    throw new InstanceFault("non-image-object", `is not an image (${name})`, "Choose a CT, MR or PET image series.");
  }
  const unsupported =
    kind === "other-image"
      ? `is of a kind that is not read (${name})`
      : placed
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

function valuesOf(dataSet: DataSet, { PixelRepresentation }: ImagePixelModule): Pick<ImageFrame, "rescale" | "table"> {
  const lut = modalityLut(dataSet, PixelRepresentation === 1);
  if (lut === undefined) {
    return { rescale: validModule(ModalityLutModule, dataSet, "unreadable-instance", EXPORT_AGAIN) };
  }
  return { rescale: { RescaleSlope: 1, RescaleIntercept: 0, RescaleType: lut.type }, table: lut.table };
}

/** How to fetch them; or views on the pixel data, or copies where they would keep much more memory from being freed than their own. */
function encodedPixels(
  dataSet: DataSet,
  pixelData: PixelData | PixelSource | undefined,
  count: number,
  { Rows, Columns, BitsAllocated }: ImagePixelModule,
): readonly FrameBytes[] {
  if (pixelData === undefined) throw new InstanceFault("unreadable-instance", "has no pixel data", EXPORT_AGAIN);
  const [offsets] = dataSet.ExtendedOffsetTable ?? [];
  const bytesPerFrame = Rows * Columns * (BitsAllocated >> 3);
  try {
    if ("source" in pixelData) return fetchedFrames(pixelData, count, bytesPerFrame);
    const frames = encodedFrames(pixelData, count, bytesPerFrame, offsets instanceof Uint8Array ? offsets : undefined);
    const bytes = frames.flat().reduce((sum, fragment) => sum + fragment.length, 0);
    const held = frames[0]?.[0]?.buffer.byteLength ?? 0;
    return bytes * 2 < held ? frames.map((fragments) => fragments.map((fragment) => fragment.slice())) : frames;
  } catch (cause) {
    if (!(cause instanceof CorruptFrameError)) throw cause;
    throw damagedPixels(cause);
  }
}

/** @param frame counted from 1, where the instance has several */
export function damagedPixels(cause: CorruptFrameError, frame?: number): InstanceFault {
  return new InstanceFault(
    "corrupt-pixel-data",
    `has damaged pixel data${frame === undefined ? "" : ` in frame ${frame}`}: ${cause.message}`,
    "Send it again from its source.",
    { cause },
  );
}
