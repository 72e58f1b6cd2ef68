import { lastOccurrence } from "./dicom-moment.ts";
import type { PetHeader } from "./pet-header.ts";

/** Either what an activity in Bq/mL is multiplied with to become an SUV, or why there is no such number. */
export type SuvFactor = { readonly factor: number; readonly missing?: undefined } | { readonly missing: string };

/** Outside of these a number was written in another unit, or is a stand-in. Small animals and therapies lie within. */
const PLAUSIBLE_WEIGHT_KG = [0.005, 700] as const;
const PLAUSIBLE_DOSE_BQ = [1e4, 1e11] as const;
/** After so many there is nothing left to see: a date is wrong. */
const MAX_HALF_LIVES = 12;

/**
 * The factor to the Standardized Uptake Value by body weight, in g/mL: weight in g by the dose in Bq that was left at the
 * moment that decay was corrected to. It follows the vendor-neutral way of QIBA's FDG-PET profile: the start of the series is
 * that moment, unless the series was made after the images were taken; then it is GE's own note, or the first acquisition.
 *
 * @param firstAcquisition the earliest of the series, for its frames follow one another
 */
export function suvFactor(header: PetHeader, firstAcquisition: number | undefined): SuvFactor {
  const { doseBq, halfLifeS, weightKg, decayCorrection } = header;
  if (!header.attenuationCorrected) return { missing: "the images are not corrected for attenuation" };
  if (!header.decayCorrected) return { missing: "the images are not corrected for decay" };
  if (header.radiopharmaceuticals > 1) return { missing: "several radiopharmaceuticals were given" };
  if (!within(weightKg, PLAUSIBLE_WEIGHT_KG)) return { missing: `Patient's Weight ${absentOr(weightKg)}` };
  if (!within(doseBq, PLAUSIBLE_DOSE_BQ)) return { missing: `Radionuclide Total Dose ${absentOr(doseBq)}` };
  const weightG = weightKg * 1000;
  // Activities are those of the moment of the injection: nothing of the dose had decayed.
  if (decayCorrection === "ADMIN") return { factor: weightG / doseBq };
  if (decayCorrection !== "START" && header.decayReference === undefined) {
    return { missing: "Decay Correction does not say which moment the images are corrected to" };
  }
  if (!(halfLifeS !== undefined && halfLifeS > 0)) return { missing: `Radionuclide Half Life ${absentOr(halfLifeS)}` };
  const reference = decayReference(header, firstAcquisition);
  if (reference === undefined) return { missing: "the start of the series is absent" };
  const administered =
    header.administered ??
    (header.administeredTimeOfDay === undefined ? undefined : lastOccurrence(header.administeredTimeOfDay, reference));
  if (administered === undefined) return { missing: "Radiopharmaceutical Start Date Time is absent" };
  const delay = reference - administered;
  if (delay < 0) return { missing: "the dose was given after the scan by what the dates say" };
  if (delay > MAX_HALF_LIVES * halfLifeS)
    return { missing: "the dose was given too long before the scan by what the dates say" };
  return { factor: weightG / (doseBq * 2 ** (-delay / halfLifeS)) };
}

function decayReference(header: PetHeader, firstAcquisition: number | undefined): number | undefined {
  const { decayReference: stated, seriesStart, geScanStart } = header;
  if (stated !== undefined) return stated;
  if (seriesStart === undefined || firstAcquisition === undefined) return seriesStart ?? firstAcquisition;
  return seriesStart <= firstAcquisition ? seriesStart : (geScanStart ?? firstAcquisition);
}

function within(value: number | undefined, [lowest, highest]: readonly [number, number]): value is number {
  return value !== undefined && value >= lowest && value <= highest;
}

function absentOr(value: number | undefined): string {
  return value === undefined || value === 0 ? "is absent" : "is not plausible";
}
