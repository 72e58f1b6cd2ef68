import { type DataSet, firstNumber, firstText, items, texts, type Value } from "./data-set.ts";
import { momentOf, momentOfDateTime, secondsOfDay } from "./dicom-moment.ts";
import { privateKey } from "./siemens-csa.ts";

/** What a PET image says of its activity, in the terms of PS3.3 sections C.8.9.1, C.8.9.2 and C.8.22. */
export interface PetHeader {
  /** Units (0054,1001): "BQML", "GML", "CNTS", ... */
  readonly units: string | undefined;
  /** SUV Type (0054,1006), for GML: "BW" (body weight), "LBM", "BSA", "IBW". */
  readonly suvType: string | undefined;
  readonly attenuationCorrected: boolean;
  readonly decayCorrected: boolean;
  /** To which moment decay was corrected: the start of the acquisition, the administration of the dose, or neither. */
  readonly decayCorrection: string | undefined;
  readonly radiopharmaceuticals: number;
  readonly doseBq: number | undefined;
  readonly halfLifeS: number | undefined;
  readonly weightKg: number | undefined;
  /** Moments are in seconds, see dicom-moment.ts. */
  readonly administered: number | undefined;
  /** Where only the time of day is known. */
  readonly administeredTimeOfDay: number | undefined;
  readonly seriesStart: number | undefined;
  readonly acquisitionStart: number | undefined;
  /** What decay was corrected to where the header says that outright (enhanced images). */
  readonly decayReference: number | undefined;
  /** GE keeps the start of the scan where its own series dates are those of a reconstruction. */
  readonly geScanStart: number | undefined;
  /** Philips, for Units CNTS: rescaled value * suv = SUV, rescaled value * activity = Bq/mL. */
  readonly philips: { readonly suv: number | undefined; readonly activity: number | undefined };
}

export function petHeader(dataSet: DataSet): PetHeader {
  const drugs = items(dataSet, "RadiopharmaceuticalInformationSequence");
  const drug = drugs[0] ?? {};
  const corrections = texts(dataSet, "CorrectedImage");
  const zone = firstText(dataSet, "TimezoneOffsetFromUTC");
  const moment = (keyword: string, from = dataSet) => momentOfDateTime(firstText(from, keyword), zone);
  return {
    units: firstText(dataSet, "Units"),
    suvType: firstText(dataSet, "SUVType"),
    attenuationCorrected: corrections.includes("ATTN") || firstText(dataSet, "AttenuationCorrected") === "YES",
    decayCorrected: corrections.includes("DECY") || firstText(dataSet, "DecayCorrected") === "YES",
    decayCorrection: firstText(dataSet, "DecayCorrection"),
    radiopharmaceuticals: drugs.length,
    doseBq: firstNumber(drug, "RadionuclideTotalDose"),
    halfLifeS: firstNumber(drug, "RadionuclideHalfLife"),
    weightKg: firstNumber(dataSet, "PatientWeight"),
    administered: moment("RadiopharmaceuticalStartDateTime", drug),
    administeredTimeOfDay: secondsOfDay(firstText(drug, "RadiopharmaceuticalStartTime")),
    seriesStart: momentOf(firstText(dataSet, "SeriesDate"), firstText(dataSet, "SeriesTime")),
    acquisitionStart:
      momentOf(firstText(dataSet, "AcquisitionDate"), firstText(dataSet, "AcquisitionTime")) ??
      moment("FrameAcquisitionDateTime") ??
      moment("AcquisitionDateTime"),
    decayReference: moment("DecayCorrectionDateTime"),
    geScanStart: momentOfDateTime(privateText(dataSet, "0009", "GEMS_PETD_01", "0D"), zone),
    philips: {
      suv: privateNumber(dataSet, "7053", "Philips PET Private Group", "00"),
      activity: privateNumber(dataSet, "7053", "Philips PET Private Group", "09"),
    },
  };
}

/** Private text; in implicit VR nothing says that it is some. */
function privateText(dataSet: DataSet, group: string, creator: string, element: string): string | undefined {
  const key = privateKey(dataSet, group, creator, element);
  const value: Value | undefined = key === undefined ? undefined : dataSet[key]?.[0];
  if (value instanceof Uint8Array)
    return value.length > 64
      ? undefined
      : Buffer.from(value)
          .toString("latin1")
          .replace(/[\s\0]+$/, "");
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

function privateNumber(dataSet: DataSet, group: string, creator: string, element: string): number | undefined {
  const value = Number(privateText(dataSet, group, creator, element) || Number.NaN);
  return Number.isFinite(value) && value > 0 ? value : undefined;
}
