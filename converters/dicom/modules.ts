/**
 * Modules of PS3.3 annex C as schemas over a DataSet: each picks its attributes, spelled as PS3.3 spells them, with
 * their multiplicity settled. What geometry and pixels need is required and checked; descriptive attributes that are
 * absent, empty or malformed are undefined, for a bad weight must not stop a segmentation.
 */
import {
  type ModuleOf,
  moduleOf,
  number,
  optionalNumber,
  requiredCount,
  requiredText,
  sequence,
  text,
  textList,
  vector,
} from "./attributes.ts";

/** Patient Module, PS3.3 C.7.1.1: what says who it is, without names and comments beyond that, which no result needs. */
export const PatientModule = moduleOf({
  PatientName: text,
  PatientID: text,
  IssuerOfPatientID: text,
  TypeOfPatientID: text,
  IssuerOfPatientIDQualifiersSequence: sequence,
  PatientBirthDate: text,
  PatientBirthTime: text,
  PatientSex: text,
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
export type PatientModule = ModuleOf<typeof PatientModule>;

/** General Study Module, PS3.3 C.7.2.1. */
export const GeneralStudyModule = moduleOf({
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
export type GeneralStudyModule = ModuleOf<typeof GeneralStudyModule>;

/** Patient Study Module, PS3.3 C.7.2.2. */
export const PatientStudyModule = moduleOf({
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
export type PatientStudyModule = ModuleOf<typeof PatientStudyModule>;

/** General Series Module, PS3.3 C.7.3.1. */
export const GeneralSeriesModule = moduleOf({
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
export type GeneralSeriesModule = ModuleOf<typeof GeneralSeriesModule>;

/** Frame of Reference Module, PS3.3 C.7.4.1. */
export const FrameOfReferenceModule = moduleOf({
  FrameOfReferenceUID: requiredText,
  PositionReferenceIndicator: text,
});
export type FrameOfReferenceModule = ModuleOf<typeof FrameOfReferenceModule>;

/** SOP Common Module, PS3.3 C.12.1. */
export const SopCommonModule = moduleOf({
  SOPClassUID: requiredText,
  SOPInstanceUID: requiredText,
});
export type SopCommonModule = ModuleOf<typeof SopCommonModule>;

/** Image Plane Module, PS3.3 C.7.6.2. */
export const ImagePlaneModule = moduleOf({
  /** Row direction, then column direction: cosines in LPS. */
  ImageOrientationPatient: vector(6),
  /** Centre of the first pixel, mm in LPS. */
  ImagePositionPatient: vector(3),
  /** Between rows (down), then between columns (across), mm. */
  PixelSpacing: vector(2),
});
export type ImagePlaneModule = ModuleOf<typeof ImagePlaneModule>;

/** Image Pixel Module, PS3.3 C.7.6.3. */
export const ImagePixelModule = moduleOf({
  SamplesPerPixel: requiredCount,
  PhotometricInterpretation: requiredText,
  Rows: requiredCount,
  Columns: requiredCount,
  BitsAllocated: requiredCount,
  BitsStored: requiredCount,
  HighBit: requiredCount,
  PixelRepresentation: requiredCount,
  PixelPaddingValue: number,
  PixelPaddingRangeLimit: number,
});
export type ImagePixelModule = ModuleOf<typeof ImagePixelModule>;

/** Rescale of the Modality LUT Module, PS3.3 C.11.1: a value is slope * stored + intercept. For its table see modality-lut.ts. */
export const ModalityLutModule = moduleOf({
  RescaleSlope: optionalNumber,
  RescaleIntercept: optionalNumber,
  RescaleType: text,
});
export type ModalityLutModule = ModuleOf<typeof ModalityLutModule>;
