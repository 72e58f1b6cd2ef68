import { UnsupportedImageError } from "../errors.ts";
import { dot, scale, transformPoint, type Vec3, type Volume } from "../geometry/index.ts";
import { dicomDateTime } from "./date-time.ts";
import { displayWindow } from "./display-window.ts";
import type { Elements } from "./elements.ts";
import { codeItem, equipment, PROCESSING_EQUIPMENT, RESEARCH_USE_ONLY } from "./equipment.ts";
import { singleLine } from "./line-text.ts";
import { writePart10 } from "./part10-writer.ts";
import { type PlaneAxes, planeAxes } from "./plane-axes.ts";
import { chooseStorage, type Storage, storeValues } from "./stored-values.ts";

export interface ImageSeriesDescription {
  readonly patient: {
    readonly id: string;
    /** A person name as DICOM spells it (PN): FAMILY^GIVEN. */
    readonly name?: string;
    readonly sex?: "M" | "F" | "O";
    /** YYYYMMDD. */
    readonly birthDate?: string;
  };
  readonly modality: "CT" | "MR";
  readonly studyDescription?: string;
  readonly seriesDescription: string;
  readonly studyId?: string;
  readonly seriesNumber?: number;
  readonly uids: {
    readonly study: string;
    readonly series: string;
    readonly frameOfReference: string;
    /** @param k the volume's slice */
    instance(k: number): string;
  };
  readonly at: Date;
}

const CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2";
const MR_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.4";

/**
 * The volume as a classic CT or MR series (PS3.3 sections A.3 and A.4), one file for each slice k, explicit little
 * endian, as they come lowest first along the normal. Rows and columns run the way that radiologists read them (to
 * the left, to the back, to the feet): pixels are reordered for that, and every voxel stays where it is.
 *
 * Values that are integers stay what they are; others are off by half a step of Rescale Slope at most. NaN and
 * infinities become the lowest value.
 *
 * @throws UnsupportedImageError "unsupported-dimensions" where axes are not at right angles or too long for DICOM
 */
export function* encodeImageSeries(volume: Volume, description: ImageSeriesDescription): Generator<Uint8Array> {
  const planes = readingPlanes(volume);
  const { size } = volume.geometry;
  const storage = chooseStorage(volume.voxels, description.modality === "CT" ? CT_INTERCEPT : 0);
  const pixels = size[0] * size[1];
  const stored = new Int16Array(pixels);
  const common = {
    ...seriesElements(description),
    ...planeElements(planes),
    ...imageElements(description.modality, storage),
    ...windowElements(volume, description.modality, storage),
  };
  for (let n = 0; n < size[2]; n++) {
    const k = planes.ascending ? n : size[2] - 1 - n;
    storeValues(volume.voxels, k * pixels, stored, storage);
    const position = transformPoint(volume.geometry.ijkToLps, [...planes.firstPixel, k] as Vec3);
    yield writePart10({
      ...common,
      SOPInstanceUID: description.uids.instance(k),
      InstanceNumber: n + 1,
      ImagePositionPatient: position,
      SliceLocation: dot(position, planes.axes.normal),
      PixelData: pixelBytes(stored, size[0], planes),
    });
  }
}

/** What CT scanners write, so that air is stored as 0. */
const CT_INTERCEPT = -1024;
const LONGEST_SIDE = 0xffff;

/** How slices are written: which way rows and columns run, and in which order slices come. */
interface ReadingPlanes {
  /** After flipping. */
  readonly axes: PlaneAxes;
  readonly flipRow: boolean;
  readonly flipColumn: boolean;
  /** i and j of the voxel that becomes the first pixel. */
  readonly firstPixel: readonly [number, number];
  /** Slice 0 is the lowest along the normal. */
  readonly ascending: boolean;
  readonly spacing: number;
}

function readingPlanes({ geometry }: Volume): ReadingPlanes {
  const { size, ijkToLps } = geometry;
  if (size[0] > LONGEST_SIDE || size[1] > LONGEST_SIDE) {
    throw new UnsupportedImageError("unsupported-dimensions", "DICOM images have at most 65535 rows and columns.");
  }
  const axes = planeAxes(ijkToLps);
  if (axes === undefined || !(axes.sliceShift <= LARGEST_SHEAR * Math.abs(axes.sliceStep))) {
    throw new UnsupportedImageError(
      "unsupported-dimensions",
      "The volume's axes are not at right angles (sheared), which a DICOM series cannot say. Resample it to a regular grid first.",
    );
  }
  const flipRow = runsAgainstReading(axes.row);
  const flipColumn = runsAgainstReading(axes.column);
  const mirrored = flipRow !== flipColumn;
  return {
    axes: {
      ...axes,
      row: flipRow ? scale(axes.row, -1) : axes.row,
      column: flipColumn ? scale(axes.column, -1) : axes.column,
      normal: mirrored ? scale(axes.normal, -1) : axes.normal,
    },
    flipRow,
    flipColumn,
    firstPixel: [flipRow ? size[0] - 1 : 0, flipColumn ? size[1] - 1 : 0],
    ascending: axes.sliceStep > 0 !== mirrored,
    spacing: Math.abs(axes.sliceStep),
  };
}

/** Slices that shift against each other by more than this part of their spacing are not a right-angled volume. */
const LARGEST_SHEAR = 1e-3;

/** Pictures are read with the patient's left to the right, the back below, and the feet below. */
function runsAgainstReading([x, y, z]: Vec3): boolean {
  const [ax, ay, az] = [Math.abs(x), Math.abs(y), Math.abs(z)];
  if (az > ax && az > ay) return z > 0;
  return ay > ax ? y < 0 : x < 0;
}

function pixelBytes(stored: Int16Array, columns: number, { flipRow, flipColumn }: ReadingPlanes): Uint8Array {
  if (flipRow)
    for (let start = 0; start < stored.length; start += columns) stored.subarray(start, start + columns).reverse();
  const ordered = flipColumn ? reverseRows(stored, columns) : stored;
  return new Uint8Array(ordered.buffer, ordered.byteOffset, ordered.byteLength);
}

function reverseRows(pixels: Int16Array, columns: number): Int16Array {
  const out = new Int16Array(pixels.length);
  for (let from = 0, to = pixels.length - columns; to >= 0; from += columns, to -= columns) {
    out.set(pixels.subarray(from, from + columns), to);
  }
  return out;
}

function planeElements({ axes, spacing }: ReadingPlanes): Elements {
  return {
    ImageOrientationPatient: [...axes.row, ...axes.column],
    PixelSpacing: axes.pixelSpacing,
    SliceThickness: spacing,
    SpacingBetweenSlices: spacing,
  };
}

function seriesElements({ patient, modality, uids, at, ...description }: ImageSeriesDescription): Elements {
  const { date, time, dateTime } = dicomDateTime(at);
  const { studyDescription } = description;
  return {
    SOPClassUID: modality === "CT" ? CT_IMAGE_STORAGE : MR_IMAGE_STORAGE,
    PatientName: patient.name ?? "",
    PatientID: singleLine(patient.id),
    PatientBirthDate: patient.birthDate ?? "",
    PatientSex: patient.sex ?? "",
    StudyInstanceUID: uids.study,
    StudyDate: date,
    StudyTime: time,
    StudyID: description.studyId ?? "",
    ReferringPhysicianName: "",
    AccessionNumber: "",
    ...(studyDescription !== undefined && { StudyDescription: singleLine(studyDescription) }),
    SeriesInstanceUID: uids.series,
    SeriesNumber: description.seriesNumber ?? 1,
    SeriesDescription: singleLine(description.seriesDescription),
    SeriesDate: date,
    SeriesTime: time,
    ContentDate: date,
    ContentTime: time,
    Modality: modality,
    PatientPosition: "",
    Laterality: "",
    FrameOfReferenceUID: uids.frameOfReference,
    PositionReferenceIndicator: "",
    Manufacturer: "",
    ContributingEquipmentSequence: [
      {
        ...equipment,
        ContributionDateTime: dateTime,
        ContributionDescription: `${RESEARCH_USE_ONLY}. Converted from a volume file.`,
        PurposeOfReferenceCodeSequence: [codeItem(PROCESSING_EQUIPMENT)],
      },
    ],
  };
}

function imageElements(modality: "CT" | "MR", { slope, intercept, exact }: Storage): Elements {
  return {
    ImageType: ["DERIVED", "SECONDARY", modality === "CT" ? "AXIAL" : "OTHER"],
    DerivationDescription: "Converted from a volume file",
    AcquisitionNumber: "",
    SamplesPerPixel: 1,
    PhotometricInterpretation: "MONOCHROME2",
    BitsAllocated: 16,
    BitsStored: 16,
    HighBit: 15,
    PixelRepresentation: 1,
    ...(modality === "CT"
      ? { KVP: "", RescaleType: "HU" }
      : {
          ScanningSequence: "RM",
          SequenceVariant: "NONE",
          ScanOptions: "",
          MRAcquisitionType: "",
          RepetitionTime: "",
          EchoTime: "",
          EchoTrainLength: "",
        }),
    ...((modality === "CT" || !exact || intercept !== 0) && {
      RescaleSlope: slope,
      RescaleIntercept: intercept,
      ...(modality === "MR" && { RescaleType: "US" }),
    }),
  };
}

function windowElements({ voxels, geometry }: Volume, modality: "CT" | "MR", storage: Storage): Elements {
  const [center, width] = modality === "CT" ? SOFT_TISSUE : displayWindow(voxels, storage);
  const { size } = geometry;
  return { WindowCenter: center, WindowWidth: width, Rows: size[1], Columns: size[0] };
}

/** HU. */
const SOFT_TISSUE = [40, 400] as const;
