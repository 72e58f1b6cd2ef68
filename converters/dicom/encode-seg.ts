import { dot, length, scale, subtract, transformPoint, type Vec3 } from "../geometry/index.ts";
import { copyModule } from "./copy-module.ts";
import { dicomDateTime } from "./date-time.ts";
import { codeItem, equipment, PROCESSING_EQUIPMENT, RESEARCH_USE_ONLY } from "./equipment.ts";
import { singleLine } from "./line-text.ts";
import { type Elements, writePart10 } from "./part10-writer.ts";
import { type PlaneAxes, planeAxes } from "./plane-axes.ts";
import { masksOverlap, nonEmptyFrames, packFrames, type SegFrame } from "./seg-frames.ts";
import { dimensionElements, perFrameGroups, referencedSeries, sharedGroups } from "./seg-functional-groups.ts";
import type { SegInput } from "./seg-input.ts";
import { segmentItems } from "./seg-segments.ts";

const SEGMENTATION_STORAGE = "1.2.840.10008.5.1.4.1.1.66.4";

/**
 * A DICOM Segmentation of type BINARY (PS3.3 sections A.51 and C.8.20), as explicit little endian. Slices where a
 * segment has no voxel become no frame.
 *
 * @throws RangeError where no segment has a voxel, a mask is not on the geometry's grid, or the grid's rows and columns
 * are not at a right angle
 */
export function encodeSeg(input: SegInput): Uint8Array {
  const axes = checkedAxes(input);
  const masks = input.segments.map(({ mask }) => mask);
  const frames = nonEmptyFrames(masks);
  if (frames.length === 0) throw new RangeError("no segment has a voxel: there is nothing to write");
  const positions = slicePositions(input);
  const spacing = uniformSpacing(positions, axes.normal);
  return writePart10({
    ...identification(input),
    ...content(input),
    ...dimensionElements(input.uids.dimensionOrganization, isRegularStack(frames, spacing)),
    ...referencedSeries(input.header.series.SeriesInstanceUID, input.sources),
    SharedFunctionalGroupsSequence: [sharedGroups(axes, spacing)],
    PerFrameFunctionalGroupsSequence: perFrameGroups(frames, positions, input.sources),
    SegmentSequence: segmentItems(input.segments, input.algorithm),
    SegmentsOverlap: masksOverlap(masks) ? "YES" : "NO",
    NumberOfFrames: frames.length,
    Rows: input.geometry.size[1],
    Columns: input.geometry.size[0],
    PixelData: packFrames(frames, masks),
  });
}

function checkedAxes({ geometry, segments, sources }: SegInput): PlaneAxes {
  const [ni, nj, nk] = geometry.size;
  for (const { mask } of segments) {
    if (mask.size[0] !== ni || mask.size[1] !== nj || mask.size[2] !== nk) {
      throw new RangeError("a mask's size is not the geometry's: masks are given on the series' own grid");
    }
  }
  const axes = planeAxes(geometry.ijkToLps);
  if (axes === undefined) throw new RangeError("the grid's rows and columns are not at a right angle");
  for (const { sliceIndex, positionLps } of sources) {
    const expected = transformPoint(geometry.ijkToLps, [0, 0, sliceIndex]);
    if (!(length(subtract(positionLps, expected)) <= Math.abs(axes.sliceStep) / 2)) {
      throw new RangeError(`the source of slice ${sliceIndex} lies elsewhere than the slice`);
    }
  }
  return axes;
}

/** Image Position (Patient) of each slice: its source's own where it has one. */
function slicePositions({ geometry, sources }: SegInput): readonly Vec3[] {
  const own = new Map(sources.map(({ sliceIndex, positionLps }) => [sliceIndex, positionLps]));
  return Array.from({ length: geometry.size[2] }, (_, k) => own.get(k) ?? transformPoint(geometry.ijkToLps, [0, 0, k]));
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
function identification({ header, geometry, uids, at, ...input }: SegInput): Elements {
  const { date, time } = dicomDateTime(at);
  const { BodyPartExamined, SeriesNumber } = header.series;
  return {
    PatientName: "",
    PatientID: "",
    PatientBirthDate: "",
    PatientSex: "",
    ...copyModule(header.patient),
    StudyDate: "",
    StudyTime: "",
    ReferringPhysicianName: "",
    StudyID: "",
    AccessionNumber: "",
    ...copyModule(header.study),
    ...copyModule(header.patientStudy),
    ...copyModule({ BodyPartExamined }),
    Modality: "SEG",
    SeriesInstanceUID: uids.series,
    SeriesNumber: input.seriesNumber ?? seriesNumberAfter(SeriesNumber),
    SeriesDescription: singleLine(input.seriesDescription),
    SeriesDate: date,
    SeriesTime: time,
    PositionReferenceIndicator: "",
    ...copyModule(header.frameOfReference),
    FrameOfReferenceUID: geometry.frameOfReferenceUid,
    ...equipment,
    DeviceSerialNumber: "0",
  };
}

/** Behind the source's in a list of series; some sources number theirs by the second, up to what IS can hold. */
function seriesNumberAfter(source: number | undefined): number {
  const number = (source ?? 0) + 1000;
  return Number.isInteger(number) && Math.abs(number) < 2 ** 31 ? number : 1000;
}

/** SOP instance, image and segmentation, but for what depends on the frames. */
function content({ uids, at, algorithm, contentCreator }: SegInput): Elements {
  const { date, time, dateTime } = dicomDateTime(at);
  return {
    SOPClassUID: SEGMENTATION_STORAGE,
    SOPInstanceUID: uids.instance,
    InstanceCreationDate: date,
    InstanceCreationTime: time,
    InstanceNumber: 1,
    ContentDate: date,
    ContentTime: time,
    ContentLabel: "SEGMENTATION",
    ContentDescription: `${RESEARCH_USE_ONLY}. Automatic segmentation.`,
    ContentCreatorName: contentCreator ?? "",
    ContributingEquipmentSequence: [
      {
        ...equipment,
        ContributionDateTime: dateTime,
        ContributionDescription: `${RESEARCH_USE_ONLY}. Segmented by ${algorithm.name} ${algorithm.version}.`,
        PurposeOfReferenceCodeSequence: [codeItem(PROCESSING_EQUIPMENT)],
      },
    ],
    ImageType: ["DERIVED", "PRIMARY"],
    SegmentationType: "BINARY",
    SamplesPerPixel: 1,
    PhotometricInterpretation: "MONOCHROME2",
    BitsAllocated: 1,
    BitsStored: 1,
    HighBit: 0,
    PixelRepresentation: 0,
    PresentationLUTShape: "IDENTITY",
    BurnedInAnnotation: "NO",
    LossyImageCompression: "00",
  };
}
