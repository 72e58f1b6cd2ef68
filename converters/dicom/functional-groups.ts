import { type DataSet, items, type Value } from "./data-set.ts";

/**
 * The functional groups that say where a frame lies, what its values mean and which volume it belongs to (PS3.3 section
 * C.7.6.16); those of legacy converted images first, for what is unassigned counts least.
 */
const GROUPS = [
  "UnassignedSharedConvertedAttributesSequence",
  "UnassignedPerFrameConvertedAttributesSequence",
  "PixelMeasuresSequence",
  "PlaneOrientationSequence",
  "PlanePositionVolumeSequence",
  "PlaneOrientationVolumeSequence",
  "PlanePositionSequence",
  "PixelValueTransformationSequence",
  "FrameContentSequence",
  "CTImageFrameTypeSequence",
  "MRImageFrameTypeSequence",
  "PETFrameTypeSequence",
  "PETFrameCorrectionFactorsSequence",
  "ImageDataTypeSequence",
  "MREchoSequence",
  "MRDiffusionSequence",
  "TemporalPositionSequence",
  "CardiacSynchronizationSequence",
] as const;

/** A functional group whose items are a choice, and stay a sequence (PS3.3 section C.7.6.16.2.11). */
const MAPPINGS = "RealWorldValueMappingSequence";

/** Whether the frames of an instance are described one by one, in functional groups. */
export function hasFunctionalGroups(dataSet: DataSet): boolean {
  return items(dataSet, "PerFrameFunctionalGroupsSequence").length > 0;
}

/**
 * The data sets that the frames of an enhanced image would have as single images: what all share, with the attributes of
 * the shared groups and of each frame's own groups put beside each other.
 */
export function* frameDataSets(dataSet: DataSet): Generator<DataSet> {
  const [shared = {}] = items(dataSet, "SharedFunctionalGroupsSequence");
  const common = { ...dataSet, ...ungrouped(shared) };
  for (const own of items(dataSet, "PerFrameFunctionalGroupsSequence")) {
    yield inVolumeAxes({ ...common, ...ungrouped(own) });
  }
}

/**
 * Enhanced ultrasound places its frames in a volume of its own (PS3.3 section C.8.24.2); where that lies in the patient is
 * rarely known.
 */
function inVolumeAxes(dataSet: DataSet): DataSet {
  const { ImagePositionVolume, ImageOrientationVolume, VolumeFrameOfReferenceUID } = dataSet;
  if (ImagePositionVolume === undefined || dataSet.ImagePositionPatient !== undefined) return dataSet;
  return {
    ...dataSet,
    ImagePositionPatient: ImagePositionVolume,
    ...(ImageOrientationVolume && { ImageOrientationPatient: ImageOrientationVolume }),
    ...(VolumeFrameOfReferenceUID && { FrameOfReferenceUID: VolumeFrameOfReferenceUID }),
  };
}

function ungrouped(groups: DataSet): DataSet {
  const attributes: Record<string, readonly Value[]> = {};
  for (const group of GROUPS) Object.assign(attributes, items(groups, group)[0]);
  const mappings = items(groups, MAPPINGS);
  if (mappings.length > 0) attributes[MAPPINGS] = mappings;
  return attributes;
}
