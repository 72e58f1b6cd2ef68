import { copyModule } from "./copy-module.ts";
import { dicomDateTime } from "./date-time.ts";
import type { Elements } from "./elements.ts";
import { contributingEquipment, equipment } from "./equipment.ts";
import { singleLine } from "./line-text.ts";
import type { SeriesHeader } from "./series-header.ts";

/** What is said of the series that a result forms beside the one that it was made of. */
export interface DerivedSeries {
  /** Of the series that it was made of. */
  readonly header: SeriesHeader;
  readonly seriesDescription: string;
  /** Series Number (0020,0011); the source's and some hundreds where absent. */
  readonly seriesNumber?: number;
  readonly at: Date;
  readonly seriesInstanceUid: string;
  readonly modality: "SEG" | "SR" | "RTSTRUCT" | "OT";
}

/** Where each kind of result stands in a list of series, behind its source. */
const NUMBER_BEHIND_SOURCE = { SEG: 1000, SR: 2000, RTSTRUCT: 3000, OT: 4000 } as const;

/** The one instance of a result: when it was made, and by which algorithm (SOP Common module, PS3.3 section C.12.1). */
export function onlyInstance({ sopInstanceUid, at, algorithm }: OnlyInstance): Elements {
  const { date, time, dateTime } = dicomDateTime(at);
  return {
    SOPInstanceUID: sopInstanceUid,
    InstanceCreationDate: date,
    InstanceCreationTime: time,
    ...(algorithm && contributingEquipment(algorithm, dateTime)),
    InstanceNumber: 1,
  };
}

interface OnlyInstance {
  readonly sopInstanceUid: string;
  readonly at: Date;
  readonly algorithm?: { readonly name: string; readonly version: string } | undefined;
}

/** Frame of Reference module (PS3.3 section C.7.4.1): the result lies where its source does. */
export function sharedFrameOfReference(header: SeriesHeader, frameOfReferenceUid: string): Elements {
  return {
    PositionReferenceIndicator: "",
    ...copyModule(header.frameOfReference),
    FrameOfReferenceUID: frameOfReferenceUid,
  };
}

/** Patient, General Study, Patient Study, General Series and Enhanced General Equipment modules (PS3.3 annex C.7). */
export function derivedSeriesElements({ header, at, modality, ...series }: DerivedSeries): Elements {
  const { date, time } = dicomDateTime(at);
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
    Modality: modality,
    SeriesInstanceUID: series.seriesInstanceUid,
    SeriesNumber: series.seriesNumber ?? numberBehind(header.series.SeriesNumber, NUMBER_BEHIND_SOURCE[modality]),
    SeriesDescription: singleLine(series.seriesDescription),
    SeriesDate: date,
    SeriesTime: time,
    ...equipment,
    DeviceSerialNumber: "0",
  };
}

/** Some sources number theirs by the second, up to what IS can hold. */
function numberBehind(source: number | undefined, behind: number): number {
  const number = (source ?? 0) + behind;
  return Number.isInteger(number) && Math.abs(number) < 2 ** 31 ? number : behind;
}
