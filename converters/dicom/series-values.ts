import type { VoxelUnit } from "../geometry/index.ts";
import type { ImageFrame } from "./image-frame.ts";
import type { ModalityLutModule } from "./modules.ts";
import { commonUnit, type RealWorldMapping } from "./real-world-values.ts";
import { type SuvFactor, suvFactor } from "./suv-factor.ts";

/** What the voxels of a series mean. */
export interface SeriesValues<T extends ImageFrame = ImageFrame> {
  /** With `rescale`, and `table` where there is one, that give values in `unit`. */
  readonly frames: readonly T[];
  readonly unit: VoxelUnit;
  readonly notes: readonly string[];
}

/** What PET values become: SUV by body weight where the header allows it, or activity in Bq/mL where it is there. */
export type PetUnits = "suv" | "activity";

/** UCUM of what PET images map their values to (PS3.16 CIDs 84 and 85), spelled in both ways that are in use. */
const SUV_BODY_WEIGHT = new Set(["{SUVbw}g/ml", "g/ml{SUVbw}", "{SUVbw}g/mL", "g/mL{SUVbw}"]);
const ACTIVITY = new Set(["Bq/ml", "Bq/mL"]);
const HOUNSFIELD = "[hnsf'U]";

/**
 * Chooses how stored values become real ones, the same for all frames of a volume:
 * - CT: Rescale Slope and Intercept where they give Hounsfield units (PS3.3 C.8.2.1); else a Real World Value Mapping;
 * - PET: SUV by body weight where the header gives it, outright or by weight, dose and times, unless activity is asked for; else
 *   activity; else as CT's rest;
 * - all others: a Real World Value Mapping where all frames have one to the same unit; else Rescale Slope and Intercept.
 *
 * @param frames of the volume
 * @param all frames of the series, for decay is corrected to the start of the series.
 */
export function seriesValues(
  frames: readonly ImageFrame[],
  all: readonly ImageFrame[],
  modality: string | undefined,
  petUnits: PetUnits = "suv",
): SeriesValues {
  if (modality === "PT") return petUnits === "suv" ? petValues(frames, all) : activityValues(frames);
  const hounsfield = modality === "CT" && frames.every(({ rescale }) => (rescale.RescaleType ?? "HU") === "HU");
  if (hounsfield && frames.every(({ rescale }) => rescale.RescaleSlope !== undefined)) {
    return { frames, unit: "HU", notes: [] };
  }
  const mapped = byMapping(frames, (unit) => !hounsfield || unit === HOUNSFIELD);
  if (mapped === undefined) return { frames, unit: hounsfield ? "HU" : "arbitrary", notes: [] };
  return mapped.to === HOUNSFIELD
    ? { frames: mapped.frames, unit: "HU", notes: [] }
    : { frames: mapped.frames, unit: "arbitrary", notes: [inUnit(mapped.to)] };
}

function inUnit(unit: string): string {
  return `Values are in ${unit}, by the Real World Value Mapping of the images.`;
}

/** What PET images say is taken as it is, where that is no activity. */
function activityValues(frames: readonly ImageFrame[]): SeriesValues {
  const activity = activityOf(frames);
  if (activity !== undefined) return { frames: activity, unit: "Bq/mL", notes: [] };
  const suv = outrightUptake(frames);
  if (suv === undefined) return otherValues(frames);
  return { ...suv, notes: [...suv.notes, "Activity was asked for, but the PET images hold SUV only."] };
}

function petValues(frames: readonly ImageFrame[], all: readonly ImageFrame[]): SeriesValues {
  const suv = outrightUptake(frames);
  if (suv !== undefined) return suv;
  const corrected = frames.every(({ pet }) => pet?.attenuationCorrected && pet.decayCorrected);
  if (corrected && frames.every(({ pet }) => pet?.units === "CNTS" && pet.philips.suv !== undefined)) {
    return {
      frames: frames.map((frame) => scaled(frame, frame.pet!.philips.suv!)),
      unit: "SUV",
      notes: ["SUV by body weight, from counts and the scanner's own factor (Philips)."],
    };
  }
  const activity = activityOf(frames);
  return activity === undefined ? otherValues(frames) : asSuv(activity, all);
}

function otherValues(frames: readonly ImageFrame[]): SeriesValues {
  const mapped = byMapping(frames, () => true);
  if (mapped !== undefined) return { frames: mapped.frames, unit: "arbitrary", notes: [inUnit(mapped.to)] };
  return {
    frames,
    unit: "arbitrary",
    notes: ["The PET images do not give their values as activity or SUV (Units)."],
  };
}

/** Uptake that the images hold themselves. */
function outrightUptake(frames: readonly ImageFrame[]): SeriesValues | undefined {
  const suv = byMapping(frames, (unit) => SUV_BODY_WEIGHT.has(unit));
  if (suv !== undefined) return { frames: suv.frames, unit: "SUV", notes: [inUnit("SUV by body weight")] };
  return frames.every(({ pet }) => pet?.units === "GML") ? uptakeValues(frames) : undefined;
}

/** Units GML is SUV; by what, SUV Type says, where it is not body weight (PS3.3 section C.8.9.1). */
function uptakeValues(frames: readonly ImageFrame[]): SeriesValues {
  if (frames.every(({ pet }) => (pet?.suvType ?? "BW") === "BW")) return { frames, unit: "SUV", notes: [] };
  return {
    frames,
    unit: "arbitrary",
    notes: ["The PET images hold uptake values, but not by body weight (SUV Type); they were left as they are."],
  };
}

/** The frames with values in Bq/mL, or undefined where they have none. */
function activityOf(frames: readonly ImageFrame[]): readonly ImageFrame[] | undefined {
  if (frames.every(({ pet }) => pet?.units === "BQML")) return frames;
  const mapped = byMapping(frames, (unit) => ACTIVITY.has(unit));
  if (mapped !== undefined) return mapped.frames;
  if (frames.every(({ pet }) => pet?.units === "CNTS" && pet.philips.activity !== undefined)) {
    return frames.map((frame) => scaled(frame, frame.pet!.philips.activity!));
  }
  return undefined;
}

function asSuv(frames: readonly ImageFrame[], all: readonly ImageFrame[]): SeriesValues {
  const starts = all.flatMap(({ pet }) => (pet?.acquisitionStart === undefined ? [] : [pet.acquisitionStart]));
  const first = starts.length > 0 ? starts.reduce((a, b) => Math.min(a, b)) : undefined;
  const factors: SuvFactor[] = frames.map(({ pet }) => suvFactor(pet!, first));
  const fault = factors.find(({ missing }) => missing !== undefined)?.missing;
  if (fault !== undefined) {
    return { frames, unit: "Bq/mL", notes: [`Values are activity, not SUV: ${fault}.`] };
  }
  return {
    frames: frames.map((frame, n) => scaled(frame, (factors[n] as { readonly factor: number }).factor)),
    unit: "SUV",
    notes: ["SUV by body weight, computed from activity, weight, dose and times of the header."],
  };
}

function scaled(frame: ImageFrame, factor: number): ImageFrame {
  const { rescale, table } = frame;
  // A table comes after the rescaling.
  if (table !== undefined)
    return { ...frame, table: { ...table, values: Float64Array.from(table.values, (value) => value * factor) } };
  return { ...frame, rescale: scaledRescale(rescale, factor) };
}

function scaledRescale(rescale: ModalityLutModule, factor: number): ModalityLutModule {
  const { RescaleSlope = 1, RescaleIntercept = 0 } = rescale;
  return { ...rescale, RescaleSlope: RescaleSlope * factor, RescaleIntercept: RescaleIntercept * factor };
}

function byMapping(
  frames: readonly ImageFrame[],
  accepts: (unit: string) => boolean,
): { readonly frames: readonly ImageFrame[]; readonly to: string } | undefined {
  const to = commonUnit(
    frames.map(({ mappings }) => mappings),
    accepts,
  );
  if (to === undefined) return undefined;
  return {
    to,
    frames: frames.map((frame) => {
      const { rescale, table } = frame.mappings.find(({ unit }) => unit === to) as RealWorldMapping;
      return { ...frame, rescale, table };
    }),
  };
}
