import { add, cross, normalize, scale, type Vec3 } from "../geometry/index.ts";
import { type DataSet, firstNumber, firstText, items, numbers, texts } from "./data-set.ts";
import { InstanceFault } from "./image-frame.ts";
import { SOP_CLASS } from "./sop-class.ts";

/** The frames of an image that describes them together, as data sets of single images; and what was assumed. */
export interface StackedFrames {
  readonly dataSets: readonly DataSet[];
  readonly remark?: string;
}

/** Whether the frames of an image without functional groups may be slices that lie one behind the other. */
export function mayBeStack(sopClassUid: string): boolean {
  return sopClassUid === SOP_CLASS.nuclearMedicine || PLAIN_STACKS.has(sopClassUid);
}

const PLAIN_STACKS: ReadonlySet<string> = new Set([
  SOP_CLASS.ultrasoundMultiFrame,
  SOP_CLASS.secondaryCaptureByte,
  SOP_CLASS.secondaryCaptureWord,
]);

/** @throws InstanceFault where the header does not say that the frames are slices, or where they lie. */
export function stackedFrames(dataSet: DataSet, sopClassUid: string, count: number): StackedFrames {
  if (sopClassUid === SOP_CLASS.nuclearMedicine) return { dataSets: nuclearFrames(dataSet, count) };
  return plainStack(dataSet, count);
}

/** What may tell the volumes of one NM image apart: a value for each frame. */
const VECTORS = ["RRIntervalVector", "TimeSlotVector", "EnergyWindowVector"] as const;

/** Types of NM images that are not slices of a volume (PS3.3 section C.8.4.9.1.3). */
const PROJECTIONS = ["STATIC", "WHOLE BODY", "DYNAMIC", "GATED", "TOMO", "GATED TOMO"];

/**
 * A reconstructed tomogram (PS3.3 sections C.8.4.11 and C.8.4.15): the detector item has the place of the first slice;
 * Spacing Between Slices says by its sign on which side of it, seen along row x column, the others lie.
 */
function nuclearFrames(dataSet: DataSet, count: number): readonly DataSet[] {
  const type = texts(dataSet, "ImageType")[2];
  if (type !== "RECON TOMO" && type !== "RECON GATED TOMO") {
    const what = type !== undefined && PROJECTIONS.includes(type) ? ` (${type})` : "";
    throw new InstanceFault(
      "unsupported-object",
      `is a Nuclear Medicine Image${what}, but not of reconstructed slices`,
      "Choose the reconstructed series (Image Type RECON TOMO).",
    );
  }
  const spacing = firstNumber(dataSet, "SpacingBetweenSlices") ?? 0;
  if (spacing === 0 || !Number.isFinite(spacing)) throw noSpacing("Nuclear Medicine Image");
  const slices = numbers(dataSet, "SliceVector");
  const each = firstNumber(dataSet, "NumberOfSlices");
  if (slices.length !== count && (slices.length > 0 || (each !== undefined && each !== count))) {
    throw new InstanceFault(
      "unreadable-instance",
      `has ${count} frames but a Slice Vector of ${slices.length}`,
      "Export the series again from its source.",
    );
  }
  const detectors = items(dataSet, "DetectorInformationSequence");
  const detectorOf = numbers(dataSet, "DetectorVector");
  const vectors = VECTORS.map((keyword) => [keyword, numbers(dataSet, keyword)] as const);
  return Array.from({ length: count }, (_, n) => {
    const detector = detectors[(detectorOf[n] ?? 1) - 1] ?? detectors[0];
    const own = vectors.map(([keyword, values]) => [keyword, values.slice(n, n + 1)] as const);
    const place = placed({ ...dataSet, ...detector }, spacing * ((slices[n] ?? n + 1) - 1));
    return { ...dataSet, ...Object.fromEntries(own), ...place };
  });
}

/**
 * Frames one behind the other, Spacing Between Slices apart, from the image's own place on. An ultrasound sweep may say how
 * large its voxels are and not where they lie: then it lies at the origin of its own frame of reference.
 */
function plainStack(dataSet: DataSet, count: number): StackedFrames {
  const spacing = firstNumber(dataSet, "SpacingBetweenSlices") ?? 0;
  if (!(spacing > 0)) throw noSpacing("multi-frame image");
  const spaced = { ...dataSet, PixelSpacing: pixelSpacing(dataSet) };
  const nowhere =
    numbers(dataSet, "ImagePositionPatient").length === 0 && numbers(dataSet, "ImageOrientationPatient").length === 0;
  const isUltrasound = firstText(dataSet, "SOPClassUID") === SOP_CLASS.ultrasoundMultiFrame;
  const first =
    nowhere && isUltrasound
      ? { ...spaced, ImagePositionPatient: [0, 0, 0], ImageOrientationPatient: [1, 0, 0, 0, 1, 0] }
      : spaced;
  return {
    dataSets: Array.from({ length: count }, (_, n) => ({ ...first, ...placed(first, spacing * n) })),
    ...(first !== spaced && { remark: OWN_AXES }),
  };
}

const OWN_AXES =
  "The ultrasound image does not say where it lies in the patient: its axes are its own columns, rows and frames.";

/** Image Position (Patient) of a slice `offset` mm behind the first one; what the header lacks is refused later. */
function placed(first: DataSet, offset: number): DataSet {
  const orientation = numbers(first, "ImageOrientationPatient");
  const position = numbers(first, "ImagePositionPatient");
  if (orientation.length !== 6 || position.length !== 3) return {};
  const normal = normalize(cross(orientation.slice(0, 3) as unknown as Vec3, orientation.slice(3) as unknown as Vec3));
  return {
    ImageOrientationPatient: orientation,
    ImagePositionPatient: add(position as unknown as Vec3, scale(normal, offset)),
  };
}

/** Of ultrasound, the calibration of its only region where there is no Pixel Spacing (PS3.3 section C.8.5.5). */
function pixelSpacing(dataSet: DataSet): readonly number[] {
  const own = numbers(dataSet, "PixelSpacing");
  const [region, ...others] = items(dataSet, "SequenceOfUltrasoundRegions");
  if (own.length > 0 || region === undefined || others.length > 0) return own;
  const inCentimetres = ["PhysicalUnitsXDirection", "PhysicalUnitsYDirection"].every(
    (keyword) => firstNumber(region, keyword) === CENTIMETRES,
  );
  const [across, down] = [firstNumber(region, "PhysicalDeltaX"), firstNumber(region, "PhysicalDeltaY")];
  if (!inCentimetres || across === undefined || down === undefined) return [];
  return [Math.abs(down) * 10, Math.abs(across) * 10];
}

const CENTIMETRES = 3;

function noSpacing(what: string): InstanceFault {
  return new InstanceFault(
    "missing-geometry",
    `is a ${what} of several frames that does not say how far apart they lie (Spacing Between Slices) or where each one is`,
    "Choose the original series, or one that was exported as slices.",
  );
}
