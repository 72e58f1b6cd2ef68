/**
 * Modules of PS3.3 annex C as schemas over a DataSet: each picks its attributes, spelled as PS3.3 spells them, with
 * their multiplicity settled. What geometry and pixels need is required and checked; descriptive attributes that are
 * absent, empty or malformed are undefined, for a bad weight must not stop a segmentation.
 */
import { z } from "zod";
import { type DataSet, isDataSet, type Value } from "./data-set.ts";

const first = (values: unknown): unknown => (Array.isArray(values) && values[0] !== "" ? values[0] : undefined);
const list = (values: unknown): unknown => (Array.isArray(values) && values.length > 0 ? values : undefined);

const text = z.preprocess(first, z.string().optional()).catch(undefined);
const textList = z.preprocess(list, z.array(z.string()).readonly().optional()).catch(undefined);
const number = z.preprocess(first, z.number().optional()).catch(undefined);
const sequence = z
  .preprocess(
    list,
    z
      .array(z.custom<DataSet>((item) => isDataSet(item as Value)))
      .readonly()
      .optional(),
  )
  .catch(undefined);

const requiredText = z.preprocess(first, z.string());
const requiredCount = z.preprocess(first, z.int().nonnegative());
const optionalNumber = z.preprocess(first, z.number().optional());
const vector = (length: number) => z.array(z.number()).length(length);

/** Patient Module, PS3.3 C.7.1.1. */
export const PatientModule = z.object({
  PatientName: text,
  PatientID: text,
  IssuerOfPatientID: text,
  TypeOfPatientID: text,
  IssuerOfPatientIDQualifiersSequence: sequence,
  PatientBirthDate: text,
  PatientBirthTime: text,
  PatientSex: text,
  OtherPatientNames: textList,
  OtherPatientIDsSequence: sequence,
  EthnicGroup: text,
  PatientComments: text,
  QualityControlSubject: text,
  ReferencedPatientSequence: sequence,
  PatientSpeciesDescription: text,
  PatientSpeciesCodeSequence: sequence,
  PatientBreedDescription: text,
  PatientBreedCodeSequence: sequence,
  BreedRegistrationSequence: sequence,
  StrainDescription: text,
  ResponsiblePerson: text,
  ResponsiblePersonRole: text,
  ResponsibleOrganization: text,
  PatientIdentityRemoved: text,
  DeidentificationMethod: textList,
  DeidentificationMethodCodeSequence: sequence,
});
export type PatientModule = z.infer<typeof PatientModule>;

/** General Study Module, PS3.3 C.7.2.1. */
export const GeneralStudyModule = z.object({
  StudyInstanceUID: requiredText,
  StudyDate: text,
  StudyTime: text,
  ReferringPhysicianName: text,
  ReferringPhysicianIdentificationSequence: sequence,
  ConsultingPhysicianName: textList,
  StudyID: text,
  AccessionNumber: text,
  IssuerOfAccessionNumberSequence: sequence,
  StudyDescription: text,
  PhysiciansOfRecord: textList,
  NameOfPhysiciansReadingStudy: textList,
  RequestingServiceCodeSequence: sequence,
  ReferencedStudySequence: sequence,
  ProcedureCodeSequence: sequence,
  ReasonForPerformedProcedureCodeSequence: sequence,
});
export type GeneralStudyModule = z.infer<typeof GeneralStudyModule>;

/** Patient Study Module, PS3.3 C.7.2.2. */
export const PatientStudyModule = z.object({
  AdmittingDiagnosesDescription: textList,
  AdmittingDiagnosesCodeSequence: sequence,
  PatientAge: text,
  PatientSize: number,
  PatientWeight: number,
  PatientBodyMassIndex: number,
  MedicalAlerts: textList,
  Allergies: textList,
  SmokingStatus: text,
  PregnancyStatus: number,
  LastMenstrualDate: text,
  PatientState: text,
  Occupation: text,
  AdditionalPatientHistory: text,
  AdmissionID: text,
  ServiceEpisodeID: text,
  ServiceEpisodeDescription: text,
  PatientSexNeutered: text,
  ReasonForVisit: text,
});
export type PatientStudyModule = z.infer<typeof PatientStudyModule>;

/** General Series Module, PS3.3 C.7.3.1. */
export const GeneralSeriesModule = z.object({
  Modality: text,
  SeriesInstanceUID: requiredText,
  SeriesNumber: number,
  Laterality: text,
  SeriesDate: text,
  SeriesTime: text,
  SeriesDescription: text,
  ProtocolName: text,
  BodyPartExamined: text,
  PatientPosition: text,
});
export type GeneralSeriesModule = z.infer<typeof GeneralSeriesModule>;

/** Frame of Reference Module, PS3.3 C.7.4.1. */
export const FrameOfReferenceModule = z.object({
  FrameOfReferenceUID: requiredText,
  PositionReferenceIndicator: text,
});
export type FrameOfReferenceModule = z.infer<typeof FrameOfReferenceModule>;

/** SOP Common Module, PS3.3 C.12.1. */
export const SopCommonModule = z.object({
  SOPClassUID: requiredText,
  SOPInstanceUID: requiredText,
});
export type SopCommonModule = z.infer<typeof SopCommonModule>;

/** Image Plane Module, PS3.3 C.7.6.2. */
export const ImagePlaneModule = z.object({
  /** Row direction, then column direction: cosines in LPS. */
  ImageOrientationPatient: vector(6),
  /** Centre of the first pixel, mm in LPS. */
  ImagePositionPatient: vector(3),
  /** Between rows (down), then between columns (across), mm. */
  PixelSpacing: vector(2),
});
export type ImagePlaneModule = z.infer<typeof ImagePlaneModule>;

/** Image Pixel Module, PS3.3 C.7.6.3. */
export const ImagePixelModule = z.object({
  SamplesPerPixel: requiredCount,
  PhotometricInterpretation: requiredText,
  Rows: requiredCount,
  Columns: requiredCount,
  BitsAllocated: requiredCount,
  BitsStored: requiredCount,
  HighBit: requiredCount,
  PixelRepresentation: requiredCount,
  PixelPaddingValue: number,
});
export type ImagePixelModule = z.infer<typeof ImagePixelModule>;

/** Rescale of the Modality LUT Module, PS3.3 C.11.1: a value is slope * stored + intercept. */
export const ModalityLutModule = z.object({
  RescaleSlope: optionalNumber,
  RescaleIntercept: optionalNumber,
  RescaleType: text,
  ModalityLUTSequence: sequence,
});
export type ModalityLutModule = z.infer<typeof ModalityLutModule>;
