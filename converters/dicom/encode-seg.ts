import { dot, length, scale, subtract, type Vec3 } from "../geometry/index.ts";
import { copyModule } from "./copy-module.ts";
import { dicomDateTime } from "./date-time.ts";
import { derivedSeriesElements, onlyInstance, sharedFrameOfReference } from "./derived-series.ts";
import type { Elements } from "./elements.ts";
import { encodeRle } from "./encode-rle.ts";
import { RESEARCH_USE_ONLY } from "./equipment.ts";
import { singleLine } from "./line-text.ts";
import { lossyElements } from "./lossy-compression.ts";
import { writePart10 } from "./part10-writer.ts";
import { fillFrame, masksOverlap, nonEmptyFrames, packFrames, type SegFrame } from "./seg-frames.ts";
import { dimensionElements, perFrameGroups, referencedSeries, sharedGroups } from "./seg-functional-groups.ts";
import type { SegInput } from "./seg-input.ts";
import { bitsAllocated, kindElements, type SegKind } from "./seg-kind.ts";
import { derivationElements } from "./seg-revision.ts";
import { backgroundItem, segmentItems } from "./seg-segments.ts";
import { checkedAxes, checkSizes, slicePositions } from "./slice-positions.ts";
import { TRANSFER_SYNTAX } from "./transfer-syntax.ts";
import type { WrittenPixels } from "./written-pixels.ts";

/**
 * A DICOM Segmentation or Label Map Segmentation (PS3.3 sections A.51 and C.8.20), as explicit little endian unless
 * compression is asked for. Slices where a segment has no voxel become no frame. Frames are made one after the other
 * where they stand in the file: there is never a second copy of them.
 *
 * @throws RangeError where no segment has a voxel, a mask is not on the geometry's grid, the grid's rows and columns are
 * not at a right angle, segments of a label map overlap, or frames of bits are to be compressed with RLE
 */
export function encodeSeg(input: SegInput): Uint8Array {
  const { kind = "binary", compression = "none", segments } = input;
  checkSizes(
    input.geometry,
    segments.map(({ mask }) => mask),
  );
  const axes = checkedAxes(input.geometry, input.sources, input.uneven);
  const overlap = segmentsOverlap(kind, input);
  const frames = nonEmptyFrames(kind, input);
  if (frames.length === 0) throw new RangeError("no segment has a voxel: there is nothing to write");
  const positions = slicePositions(input.geometry, input.sources);
  const spacing = uniformSpacing(positions, axes.normal);
  const dataSet: Elements = {
    ...identification(input),
    ...content(input),
    ...kindElements(kind, segments.length),
    ...dimensionElements(kind, input.uids.dimensionOrganization, isRegularStack(frames, spacing)),
    ...derivationElements(input),
    ...referencedSeries(input.header.series.SeriesInstanceUID, input.sources),
    SharedFunctionalGroupsSequence: [sharedGroups(axes, spacing)],
    PerFrameFunctionalGroupsSequence: perFrameGroups(frames, positions, input.sources),
    SegmentSequence: [...(kind === "labelmap" ? [backgroundItem()] : []), ...segmentItems(input)],
    SegmentsOverlap: overlap,
    NumberOfFrames: frames.length,
    Rows: input.geometry.size[1],
    Columns: input.geometry.size[0],
  };
  return writePart10(dataSet, {
    pixels: compression === "rle" ? rlePixels(kind, frames, input) : nativePixels(kind, frames, input),
    transferSyntaxUid: TRANSFER_SYNTAX_OF[compression],
  });
}

const TRANSFER_SYNTAX_OF = {
  none: TRANSFER_SYNTAX.explicitLittleEndian,
  deflated: TRANSFER_SYNTAX.deflatedLittleEndian,
  rle: TRANSFER_SYNTAX.rleLossless,
} as const;

/** Fractions of several segments are not compared: their sum says as little as their overlap. */
function segmentsOverlap(kind: SegKind, { segments }: SegInput): "YES" | "NO" | "UNDEFINED" {
  if (segments.length < 2) return "NO";
  if (kind === "fractional") return "UNDEFINED";
  const overlap = masksOverlap(segments.map(({ mask }) => mask));
  if (overlap && kind === "labelmap") {
    throw new RangeError("segments overlap, which a label map cannot say: write kind binary");
  }
  return overlap ? "YES" : "NO";
}

function nativePixels(kind: SegKind, frames: readonly SegFrame[], { geometry, segments }: SegInput): WrittenPixels {
  const count = geometry.size[0] * geometry.size[1];
  const bits = bitsAllocated(kind, segments.length);
  const masks = segments.map(({ mask }) => mask);
  return {
    kind: "native",
    vr: bits === 16 ? "OW" : "OB",
    length: Math.ceil((frames.length * count * bits) / 8),
    fill(into) {
      if (kind === "binary") return packFrames(frames, masks, into);
      const size = (count * bits) / 8;
      for (const [n, frame] of frames.entries()) fillFrame(frame, segments, into.subarray(n * size, (n + 1) * size));
    },
  };
}

function rlePixels(kind: SegKind, frames: readonly SegFrame[], { geometry, segments }: SegInput): WrittenPixels {
  if (kind === "binary") throw new RangeError("RLE is not for frames of bits: write them deflated or as they are");
  const bytesPerPixel = bitsAllocated(kind, segments.length) === 16 ? 2 : 1;
  const pixels = new Uint8Array(geometry.size[0] * geometry.size[1] * bytesPerPixel);
  return {
    kind: "encapsulated",
    frames: frames.map((frame) => {
      pixels.fill(0);
      fillFrame(frame, segments, pixels);
      return encodeRle(pixels, geometry.size[0], bytesPerPixel);
    }),
  };
}

/** Steps that differ by more than this part of their mean are not uniform. */
const SPACING_TOLERANCE = 0.01;

/** mm between neighbouring slices along the normal, or undefined where that varies or slices shift against each other. */
function uniformSpacing(positions: readonly Vec3[], normal: Vec3): number | undefined {
  const [first, last] = [positions[0], positions.at(-1)];
  if (first === undefined || last === undefined || positions.length < 2) return undefined;
  const mean = dot(subtract(last, first), normal) / (positions.length - 1);
  const tolerance = Math.abs(mean) * SPACING_TOLERANCE;
  for (let k = 0; k < positions.length; k++) {
    const off = subtract(subtract(positions[k]!, first), scale(normal, mean * k));
    if (!(length(off) <= tolerance)) return undefined;
  }
  return Math.abs(mean);
}

/** PS3.3 section C.7.6.17: "3D" is said of equally spaced parallel planes that differ in nothing but their position. */
function isRegularStack(frames: readonly SegFrame[], spacing: number | undefined): boolean {
  const [first] = frames;
  if (first === undefined || spacing === undefined || frames.length < 2) return false;
  return frames.every(
    ({ segmentNumber, sliceIndex }, n) => segmentNumber === first.segmentNumber && sliceIndex === first.sliceIndex + n,
  );
}

/** Patient, study, series, frame of reference and equipment. */
function identification({ header, geometry, uids, seriesNumber, at, seriesDescription }: SegInput): Elements {
  const { BodyPartExamined } = header.series;
  return {
    ...derivedSeriesElements({
      header,
      at,
      seriesDescription,
      ...(seriesNumber !== undefined && { seriesNumber }),
      seriesInstanceUid: uids.series,
      modality: "SEG",
    }),
    ...copyModule({ BodyPartExamined }),
    ...sharedFrameOfReference(header, geometry.frameOfReferenceUid),
  };
}

/** SOP instance, image and segmentation, but for what depends on the frames. */
function content({ uids, at, algorithm, contentCreator, lossyCompression, revision }: SegInput): Elements {
  const { date, time } = dicomDateTime(at);
  return {
    ...onlyInstance({ sopInstanceUid: uids.instance, at, algorithm }),
    ContentDate: date,
    ContentTime: time,
    ContentLabel: "SEGMENTATION",
    ContentDescription: singleLine(`${RESEARCH_USE_ONLY}. ${revision?.what ?? "Automatic segmentation."}`),
    ContentCreatorName: contentCreator ?? "",
    ImageType: ["DERIVED", "PRIMARY"],
    PresentationLUTShape: "IDENTITY",
    BurnedInAnnotation: "NO",
    ...lossyElements(lossyCompression),
  };
}
