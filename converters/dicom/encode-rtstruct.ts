import { add, type SourceInstance, scale, type Vec3, type VolumeGeometry } from "../geometry/index.ts";
import { type BitVolume, outlinesOfSlice, type Polygon } from "../mask/index.ts";
import type { SegmentCodes } from "./coded-concept.ts";
import { dicomDateTime } from "./date-time.ts";
import { derivedSeriesElements, onlyInstance, sharedFrameOfReference } from "./derived-series.ts";
import type { Elements } from "./elements.ts";
import { codeItem, RESEARCH_USE_ONLY } from "./equipment.ts";
import { singleLine } from "./line-text.ts";
import { hasVoxel, type MaskSlices, singleSlice } from "./mask-slices.ts";
import { writePart10 } from "./part10-writer.ts";
import type { PlaneAxes } from "./plane-axes.ts";
import { referencedInstances } from "./referenced-instances.ts";
import { rgbOfCielab, segmentColours } from "./segment-colour.ts";
import type { SeriesHeader } from "./series-header.ts";
import { checkedAxes, checkSizes, slicePositions } from "./slice-positions.ts";
import { TRANSFER_SYNTAX } from "./transfer-syntax.ts";

export interface StructureSetRoi {
  /** What a planning tool lists; cut to 64 characters. */
  readonly name: string;
  readonly description: string;
  readonly codes: SegmentCodes;
  /** On the series' own grid. */
  readonly mask: BitVolume | MaskSlices;
}

export interface StructureSetInput {
  /** Of the series that was segmented. */
  readonly header: SeriesHeader;
  readonly geometry: VolumeGeometry;
  /** What contours refer to and take their exact positions from. */
  readonly sources: readonly SourceInstance[];
  /** Slices lie where their sources say: of the geometry count its size, the directions of rows and columns, and their spacing. */
  readonly uneven?: boolean;
  /** Numbered from 1 in this order; they may overlap. */
  readonly rois: readonly StructureSetRoi[];
  readonly seriesDescription: string;
  readonly algorithm: { readonly name: string; readonly version: string };
  /** Series Number (0020,0011); the source's plus 3000 where absent. */
  readonly seriesNumber?: number;
  readonly at: Date;
  readonly uids: { readonly series: string; readonly instance: string };
}

const RT_STRUCTURE_SET_STORAGE = "1.2.840.10008.5.1.4.1.1.481.3";
/** Retired as a service, and still what refers to a study here (PS3.3 table C.8-41). */
const DETACHED_STUDY_MANAGEMENT = "1.2.840.10008.3.1.2.3.1";

/**
 * An RT Structure Set (PS3.3 section A.19) whose closed planar contours run along the edges of the voxels: their area is
 * the voxels' own, and each voxel's centre lies clearly inside or outside. Holes are cut in by keyholes. Implicit VR
 * little endian, for a contour may be longer than an explicit decimal string can be.
 *
 * @throws RangeError where no ROI has a voxel, a mask is not on the geometry's grid, or the grid's rows and columns are
 * not at a right angle
 */
export function encodeStructureSet(input: StructureSetInput): Uint8Array {
  const { header, geometry, rois, uids, at, seriesDescription, seriesNumber } = input;
  checkSizes(
    geometry,
    rois.map(({ mask }) => mask),
  );
  const contours = contourMaker(input);
  const sequences = rois.map(({ mask }) => contours(mask));
  if (sequences.every(({ length }) => length === 0))
    throw new RangeError("no ROI has a voxel: there is nothing to write");
  const { date, time } = dicomDateTime(at);
  const dataSet: Elements = {
    ...derivedSeriesElements({
      header,
      at,
      seriesDescription,
      ...(seriesNumber !== undefined && { seriesNumber }),
      seriesInstanceUid: uids.series,
      modality: "RTSTRUCT",
    }),
    OperatorsName: "",
    ...sharedFrameOfReference(header, geometry.frameOfReferenceUid),
    SOPClassUID: RT_STRUCTURE_SET_STORAGE,
    ...onlyInstance({ sopInstanceUid: uids.instance, at, algorithm: input.algorithm }),
    StructureSetLabel: "SEGMENTATION",
    StructureSetDescription: `${RESEARCH_USE_ONLY}. Automatic segmentation.`,
    StructureSetDate: date,
    StructureSetTime: time,
    ReferencedFrameOfReferenceSequence: [referencedFrameOfReference(input)],
    StructureSetROISequence: rois.map((roi, n) => roiItem(roi, n + 1, input)),
    ROIContourSequence: contourItems(rois, sequences),
    RTROIObservationsSequence: rois.map(({ name, codes }, n) => ({
      ObservationNumber: n + 1,
      ReferencedROINumber: n + 1,
      ROIObservationLabel: singleLine(name).slice(0, LONGEST_SHORT_TEXT),
      RTROIIdentificationCodeSequence: [codeItem(codes.type)],
      RTROIInterpretedType: "",
      ROIInterpreter: "",
    })),
    ApprovalStatus: "UNAPPROVED",
  };
  return writePart10(dataSet, { transferSyntaxUid: TRANSFER_SYNTAX.implicitLittleEndian });
}

/** ROI Observation Label is SH. */
const LONGEST_SHORT_TEXT = 16;
/** ROI Description is ST. */
const LONGEST_DESCRIPTION = 1024;

function referencedFrameOfReference({ header, geometry, sources }: StructureSetInput): Elements {
  const series = {
    SeriesInstanceUID: header.series.SeriesInstanceUID,
    ContourImageSequence: referencedInstances(sources),
  };
  const study = {
    ReferencedSOPClassUID: DETACHED_STUDY_MANAGEMENT,
    ReferencedSOPInstanceUID: header.study.StudyInstanceUID,
    RTReferencedSeriesSequence: [series],
  };
  return {
    FrameOfReferenceUID: geometry.frameOfReferenceUid,
    ...(sources.length > 0 && { RTReferencedStudySequence: [study] }),
  };
}

function imageItems(sources: readonly SourceInstance[]): readonly Elements[] {
  return sources.map(({ sopClassUid, sopInstanceUid, frame }) => ({
    ReferencedSOPClassUID: sopClassUid,
    ReferencedSOPInstanceUID: sopInstanceUid,
    ...(frame !== undefined && { ReferencedFrameNumber: frame }),
  }));
}

function roiItem({ name, description }: StructureSetRoi, number: number, input: StructureSetInput): Elements {
  const { geometry, algorithm } = input;
  return {
    ROINumber: number,
    ReferencedFrameOfReferenceUID: geometry.frameOfReferenceUid,
    ROIName: singleLine(name),
    ...(description !== "" && { ROIDescription: description.slice(0, LONGEST_DESCRIPTION) }),
    ROIGenerationAlgorithm: "AUTOMATIC",
    ROIGenerationDescription: singleLine(`${algorithm.name} ${algorithm.version}`),
  };
}

function contourItems(rois: readonly StructureSetRoi[], sequences: readonly (readonly Elements[])[]): Elements[] {
  const colours = segmentColours(rois.map(({ name }) => name));
  return sequences.map((ContourSequence, n) => ({
    ReferencedROINumber: n + 1,
    ROIDisplayColor: rgbOfCielab(colours[n]!),
    ...(ContourSequence.length > 0 && { ContourSequence }),
  }));
}

/** The items of Contour Sequence of a mask, slice by slice. */
function contourMaker({
  geometry,
  sources,
  uneven,
}: StructureSetInput): (mask: BitVolume | MaskSlices) => readonly Elements[] {
  const axes = checkedAxes(geometry, sources, uneven);
  const positions = slicePositions(geometry, sources);
  const bySlice = Map.groupBy(sources, ({ sliceIndex }) => sliceIndex);
  const images = new Map([...bySlice].map(([k, group]) => [k, imageItems(group)]));
  return (mask) => {
    const items: Elements[] = [];
    for (let k = 0; k < geometry.size[2]; k++) {
      if (!hasVoxel(mask, k)) continue;
      for (const polygon of outlinesOfSlice(singleSlice(mask, k), 0)) {
        items.push({
          ContourNumber: items.length + 1,
          ...(images.has(k) && { ContourImageSequence: images.get(k)! }),
          ContourGeometricType: "CLOSED_PLANAR",
          NumberOfContourPoints: polygon.length,
          ContourData: contourData(polygon, axes, positions[k]!),
        });
      }
    }
    return items;
  };
}

/** To a ten-thousandth of a millimetre: a file of half the size, and far less than the distance to a voxel's centre. */
const DECIMALS = 1e4;

function contourData(polygon: Polygon, { row, column, pixelSpacing }: PlaneAxes, position: Vec3): readonly number[] {
  return polygon.flatMap(([i, j]) =>
    add(add(position, scale(row, i * pixelSpacing[1])), scale(column, j * pixelSpacing[0])).map(
      (mm) => Math.round(mm * DECIMALS) / DECIMALS,
    ),
  );
}
