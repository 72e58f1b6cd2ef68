import { UnsupportedImageError } from "../errors.ts";
import type { Vec3 } from "../geometry/index.ts";
import { type DataSet, firstNumber, firstText, items, numbers } from "./data-set.ts";
import { readPart10 } from "./read-part10.ts";

/** One contour of an ROI. */
export interface RoiContour {
  /** CLOSED_PLANAR, POINT, ...: Contour Geometric Type (3006,0042). */
  readonly geometricType: string;
  /** mm in LPS. */
  readonly points: readonly Vec3[];
  readonly sourceSopInstanceUid?: string;
}

export interface DecodedRoi {
  readonly number: number;
  readonly name: string;
  readonly description?: string;
  /** "" where it is not said. */
  readonly frameOfReferenceUid: string;
  readonly contours: readonly RoiContour[];
}

export interface DecodedStructureSet {
  readonly sopInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly studyInstanceUid: string;
  /** Of the first frame of reference that it names; "" where it names none. */
  readonly frameOfReferenceUid: string;
  readonly referencedSeriesInstanceUid?: string;
  readonly rois: readonly DecodedRoi[];
}

const RT_STRUCTURE_SET_STORAGE = "1.2.840.10008.5.1.4.1.1.481.3";

/**
 * Reads an RT Structure Set (PS3.3 section A.19): its regions of interest and their contours.
 *
 * @throws UnsupportedImageError "not-dicom" | "truncated" | "invalid-header" | "not-a-segmentation"
 */
export function decodeStructureSet(part10: Uint8Array): DecodedStructureSet {
  const { dataSet } = readPart10(part10);
  if (firstText(dataSet, "SOPClassUID") !== RT_STRUCTURE_SET_STORAGE) {
    throw new UnsupportedImageError("not-a-segmentation", "This DICOM object is not an RT Structure Set. Give one.");
  }
  const [frameOfReference = {}] = items(dataSet, "ReferencedFrameOfReferenceSequence");
  const [study = {}] = items(frameOfReference, "RTReferencedStudySequence");
  const [series = {}] = items(study, "RTReferencedSeriesSequence");
  const referencedSeriesInstanceUid = firstText(series, "SeriesInstanceUID");
  const contours = new Map(
    items(dataSet, "ROIContourSequence").map((item) => [firstNumber(item, "ReferencedROINumber"), item]),
  );
  return {
    sopInstanceUid: firstText(dataSet, "SOPInstanceUID") ?? "",
    seriesInstanceUid: firstText(dataSet, "SeriesInstanceUID") ?? "",
    studyInstanceUid: firstText(dataSet, "StudyInstanceUID") ?? "",
    frameOfReferenceUid: firstText(frameOfReference, "FrameOfReferenceUID") ?? "",
    ...(referencedSeriesInstanceUid !== undefined && { referencedSeriesInstanceUid }),
    rois: items(dataSet, "StructureSetROISequence").map((item) => {
      const number = firstNumber(item, "ROINumber") ?? 0;
      const description = firstText(item, "ROIDescription");
      return {
        number,
        name: firstText(item, "ROIName") ?? `ROI ${number}`,
        ...(description !== undefined && { description }),
        frameOfReferenceUid: firstText(item, "ReferencedFrameOfReferenceUID") ?? "",
        contours: items(contours.get(number) ?? {}, "ContourSequence").map(readContour),
      };
    }),
  };
}

function readContour(item: DataSet): RoiContour {
  const data = numbers(item, "ContourData");
  if (data.length === 0 || data.length % 3 !== 0 || data.some((mm) => !Number.isFinite(mm))) {
    throw new UnsupportedImageError(
      "invalid-header",
      "The structure set is not valid: a contour's points are not triples of numbers. Export it again.",
    );
  }
  const [image = {}] = items(item, "ContourImageSequence");
  const sourceSopInstanceUid = firstText(image, "ReferencedSOPInstanceUID");
  return {
    geometricType: firstText(item, "ContourGeometricType") ?? "",
    points: Array.from({ length: data.length / 3 }, (_, n): Vec3 => [data[3 * n]!, data[3 * n + 1]!, data[3 * n + 2]!]),
    ...(sourceSopInstanceUid !== undefined && { sourceSopInstanceUid }),
  };
}
