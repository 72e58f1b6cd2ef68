import { UnsupportedImageError } from "../errors.ts";
import { codecOf } from "./codecs.ts";
import { type DataSet, firstNumber, firstText, items, numbers } from "./data-set.ts";
import type { DecodedSeg, DecodedSegFrame, SegFrameGeometry } from "./decoded-seg.ts";
import type { DecodeFrame } from "./frame-codec.ts";
import { type DicomFile, readPart10 } from "./read-part10.ts";
import { readSegments } from "./read-segments.ts";
import { frameReader } from "./seg-frame-bytes.ts";
import { gridOfFrames } from "./seg-grid.ts";
import { framePixels, type SegPixels } from "./seg-pixels.ts";

const SEGMENTATION_CLASSES: ReadonlySet<string> = new Set([
  "1.2.840.10008.5.1.4.1.1.66.4",
  "1.2.840.10008.5.1.4.1.1.66.7",
]);

/**
 * Reads a DICOM Segmentation of any producer: BINARY, FRACTIONAL or LABELMAP, uncompressed, deflated, RLE or in deflated
 * frames; frames in any order, some left out, segments overlapping, frames that do not begin on a byte. `openSeg` reads
 * what needs a codec as well.
 *
 * @param part10 must not change while the answer is used: pixels are read from it when asked for
 * @throws UnsupportedImageError "not-dicom" | "truncated" | "invalid-header" | "not-a-segmentation" |
 * "unsupported-datatype" (another compression) | "unsupported-dimensions" (frames without a place in the patient)
 */
export function decodeSeg(part10: Uint8Array): DecodedSeg {
  return readSeg(readPart10(part10), undefined);
}

/** As `decodeSeg`, in every transfer syntax that images can be read in (JPEG 2000 and the like). */
export async function openSeg(part10: Uint8Array): Promise<DecodedSeg> {
  const file = readPart10(part10);
  const compressed = file.pixelData !== undefined && "fragments" in file.pixelData;
  return readSeg(file, compressed ? await codecOf(file.transferSyntaxUid)?.() : undefined);
}

function readSeg({ dataSet, pixelData, transferSyntaxUid }: DicomFile, decode: DecodeFrame | undefined): DecodedSeg {
  const sopClassUid = firstText(dataSet, "SOPClassUID") ?? "";
  if (!SEGMENTATION_CLASSES.has(sopClassUid)) {
    throw new UnsupportedImageError(
      "not-a-segmentation",
      "This DICOM object is not a segmentation (SEG). Give a Segmentation Storage or Label Map Segmentation object.",
    );
  }
  if (pixelData === undefined) throw invalid("it has no pixel data");
  const frameGeometry = readFrameGeometry(dataSet);
  const frames = readFrames(dataSet);
  const format = readFormat(dataSet);
  const shape = { ...frameGeometry, frames: frames.length, bitsAllocated: format.bitsAllocated };
  const pixels = { ...format, frame: frameReader(pixelData, transferSyntaxUid, shape, decode) };
  const frameOfReferenceUid = firstText(dataSet, "FrameOfReferenceUID") ?? "";
  const [series] = items(dataSet, "ReferencedSeriesSequence");
  const referencedSeriesInstanceUid = series && firstText(series, "SeriesInstanceUID");
  const [source] = items(dataSet, "SourceInstanceSequence");
  const revisionOf = source && firstText(source, "ReferencedSOPInstanceUID");
  const geometry = gridOfFrames(frames, frameGeometry, frameOfReferenceUid, sliceSpacing(dataSet));
  return {
    sopInstanceUid: firstText(dataSet, "SOPInstanceUID") ?? "",
    seriesInstanceUid: firstText(dataSet, "SeriesInstanceUID") ?? "",
    studyInstanceUid: firstText(dataSet, "StudyInstanceUID") ?? "",
    frameOfReferenceUid,
    ...(referencedSeriesInstanceUid !== undefined && { referencedSeriesInstanceUid }),
    referencedSopInstanceUids: (series ? items(series, "ReferencedInstanceSequence") : []).flatMap(
      (instance) => firstText(instance, "ReferencedSOPInstanceUID") ?? [],
    ),
    ...(revisionOf !== undefined && { revisionOf }),
    type: pixels.type,
    segments: readSegments(dataSet),
    frames,
    frameGeometry,
    ...(geometry && { geometry }),
    pixels,
    framePixels: (index) => framePixels(pixels, frameGeometry.rows * frameGeometry.columns, index),
  };
}

function readFormat(dataSet: DataSet): Pick<SegPixels, "type" | "bitsAllocated" | "highest"> {
  const type = firstText(dataSet, "SegmentationType");
  const bitsAllocated = firstNumber(dataSet, "BitsAllocated");
  if (type !== "BINARY" && type !== "FRACTIONAL" && type !== "LABELMAP") {
    throw new UnsupportedImageError("unsupported-datatype", "The segmentation's Segmentation Type is not supported.");
  }
  const allowed = { BINARY: [1], FRACTIONAL: [8], LABELMAP: [8, 16] }[type];
  if (bitsAllocated === undefined || !allowed.includes(bitsAllocated)) {
    throw new UnsupportedImageError(
      "unsupported-datatype",
      `The segmentation is ${type} with ${bitsAllocated} bits for a pixel; ${allowed.join(" or ")} can be read.`,
    );
  }
  const highest = type === "FRACTIONAL" ? (firstNumber(dataSet, "MaximumFractionalValue") ?? 255) : 1;
  return { type, bitsAllocated, highest };
}

function readFrames(dataSet: DataSet): readonly DecodedSegFrame[] {
  const groups = items(dataSet, "PerFrameFunctionalGroupsSequence");
  const [shared = {}] = items(dataSet, "SharedFunctionalGroupsSequence");
  if (groups.length === 0 || groups.length !== firstNumber(dataSet, "NumberOfFrames")) {
    throw invalid("the number of its frames is not the number of their descriptions");
  }
  return groups.map((group) => {
    const find = (keyword: string) => items(group, keyword)[0] ?? items(shared, keyword)[0];
    const position = numbers(find("PlanePositionSequence") ?? {}, "ImagePositionPatient");
    if (position.length !== 3) throw placeless();
    const segmentNumber = firstNumber(find("SegmentIdentificationSequence") ?? {}, "ReferencedSegmentNumber");
    const [source] = items(find("DerivationImageSequence") ?? {}, "SourceImageSequence");
    const sourceSopInstanceUid = source && firstText(source, "ReferencedSOPInstanceUID");
    const sourceFrame = source && firstNumber(source, "ReferencedFrameNumber");
    return {
      ...(segmentNumber !== undefined && { segmentNumber }),
      positionLps: [position[0]!, position[1]!, position[2]!],
      dimensionIndexValues: numbers(find("FrameContentSequence") ?? {}, "DimensionIndexValues"),
      ...(sourceSopInstanceUid !== undefined && { sourceSopInstanceUid }),
      ...(sourceFrame !== undefined && { sourceFrame }),
    };
  });
}

function readFrameGeometry(dataSet: DataSet): SegFrameGeometry {
  const [rows, columns] = [firstNumber(dataSet, "Rows"), firstNumber(dataSet, "Columns")];
  if (!rows || !columns) throw invalid("it has no rows or columns");
  const groups = items(dataSet, "PerFrameFunctionalGroupsSequence");
  const [shared = {}] = items(dataSet, "SharedFunctionalGroupsSequence");
  const everywhere = (sequence: string, keyword: string) => {
    const common = numbers(items(shared, sequence)[0] ?? {}, keyword);
    if (common.length > 0) return common;
    const each = groups.map((group) => numbers(items(group, sequence)[0] ?? {}, keyword));
    const [first = []] = each;
    if (each.some((values) => values.some((value, n) => !(Math.abs(value - first[n]!) < 1e-4)))) {
      throw new UnsupportedImageError(
        "unsupported-dimensions",
        `The segmentation's frames differ in ${keyword}; only frames of one orientation and spacing can be read.`,
      );
    }
    return first;
  };
  const cosines = everywhere("PlaneOrientationSequence", "ImageOrientationPatient");
  const [rowSpacing, columnSpacing] = everywhere("PixelMeasuresSequence", "PixelSpacing");
  if (cosines.length !== 6 || !rowSpacing || !columnSpacing) throw placeless();
  return {
    rows,
    columns,
    pixelSpacing: [rowSpacing, columnSpacing],
    orientation: [
      [cosines[0]!, cosines[1]!, cosines[2]!],
      [cosines[3]!, cosines[4]!, cosines[5]!],
    ],
  };
}

/** mm from slice to slice, as far as the object says. */
function sliceSpacing(dataSet: DataSet): { readonly between?: number; readonly thickness?: number } {
  const [group] = items(dataSet, "SharedFunctionalGroupsSequence");
  const [frame] = items(dataSet, "PerFrameFunctionalGroupsSequence");
  const measures = items(group ?? {}, "PixelMeasuresSequence")[0] ?? items(frame ?? {}, "PixelMeasuresSequence")[0];
  const between = firstNumber(measures ?? {}, "SpacingBetweenSlices");
  const thickness = firstNumber(measures ?? {}, "SliceThickness");
  return { ...(between && { between }), ...(thickness && { thickness }) };
}

function invalid(what: string): UnsupportedImageError {
  return new UnsupportedImageError("invalid-header", `The segmentation is not valid: ${what}. Export it again.`);
}

function placeless(): UnsupportedImageError {
  return new UnsupportedImageError(
    "unsupported-dimensions",
    "The segmentation's frames have no position and orientation in the patient (a segmentation of a projection image, " +
      "or of a slide); only segmentations of CT, MR and other volumes can be read.",
  );
}
