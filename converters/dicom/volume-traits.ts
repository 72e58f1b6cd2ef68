import { type DataSet, firstNumber, firstText, items, numbers, texts } from "./data-set.ts";

/**
 * What can tell the volumes of one series apart, in the order in which it is tried: from what an image is to when it was
 * taken.
 */
export const TRAITS = [
  "stack",
  "image type",
  "energy window",
  "echo time",
  "b-value",
  "diffusion direction",
  "R-R interval",
  "temporal position",
  "trigger time",
  "acquisition",
  "acquisition time",
  "content time",
] as const;

export type Trait = (typeof TRAITS)[number];

/** Of one slice; what its header does not say is undefined. */
export interface VolumeTraits extends Readonly<Record<Trait, string | number | undefined>> {
  readonly instanceNumber: number | undefined;
}

/** @param dataSet of a single-frame image, or of one frame of an enhanced one with its groups put beside each other. */
export function volumeTraits(dataSet: DataSet): VolumeTraits {
  const number = (...keywords: readonly string[]) => first(keywords, (keyword) => firstNumber(dataSet, keyword));
  const text = (...keywords: readonly string[]) => first(keywords, (keyword) => firstText(dataSet, keyword));
  return {
    stack: text("StackID"),
    "image type": imageType(dataSet),
    "energy window": number("EnergyWindowVector"),
    "echo time": number("EffectiveEchoTime", "EchoTime", "EchoNumbers"),
    "b-value": number("DiffusionBValue", ...PRIVATE_B_VALUES) ?? geBValue(dataSet),
    "diffusion direction": direction(dataSet),
    "R-R interval": number("RRIntervalVector"),
    "temporal position": number(
      "TemporalPositionIndex",
      "TemporalPositionIdentifier",
      "TemporalPositionTimeOffset",
      "TimeSlotVector",
    ),
    "trigger time": number("NominalCardiacTriggerDelayTime", "NominalPercentageOfCardiacPhase", "TriggerTime"),
    acquisition: number("AcquisitionNumber"),
    "acquisition time": text("FrameAcquisitionDateTime", "AcquisitionDateTime", "AcquisitionTime"),
    "content time": text("ContentTime"),
    instanceNumber: number("InstanceNumber"),
  };
}

/** Siemens MR, where it is no standard attribute yet. */
const PRIVATE_B_VALUES = ["0019100C"] as const;
const GE_B_VALUE = "00431039";

function first<T>(keywords: readonly string[], find: (keyword: string) => T | undefined): T | undefined {
  for (const keyword of keywords) {
    const found = find(keyword);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** From the third value on it says what an image shows; the first two, whether it is original (PS3.3 C.7.6.1.1.2). */
function imageType(dataSet: DataSet): string | undefined {
  const own = texts(dataSet, "FrameType");
  const type = own.length > 0 ? own : texts(dataSet, "ImageType");
  const parts = [
    ...type.slice(2),
    ...["ComplexImageComponent", "DataType"].flatMap((keyword) => firstText(dataSet, keyword) ?? []),
  ];
  return parts.length > 0 ? parts.join("\\") : undefined;
}

function direction(dataSet: DataSet): string | undefined {
  const [gradient = dataSet] = items(dataSet, "DiffusionGradientDirectionSequence");
  const orientation = numbers(gradient, "DiffusionGradientOrientation");
  return orientation.length === 3 ? orientation.map((cosine) => cosine.toFixed(4)).join("\\") : undefined;
}

/** GE packs flags into the billions of its first number. */
function geBValue(dataSet: DataSet): number | undefined {
  const value = firstNumber(dataSet, GE_B_VALUE);
  return value === undefined ? undefined : value % 100_000;
}
