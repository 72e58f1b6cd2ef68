export { checkReport } from "./check-report.ts";
export { checkStructureSet } from "./check-rtstruct.ts";
export { checkSecondaryCapture } from "./check-secondary-capture.ts";
export { checkSeg } from "./check-seg.ts";
export type { CodedConcept, SegmentCodes } from "./coded-concept.ts";
export { codesForPrompt } from "./codes.ts";
export { contoursOnto } from "./contours-onto.ts";
export { type DataSet, firstNumber, firstText, items, numbers, texts, type Value } from "./data-set.ts";
export { type DecodedRoi, type DecodedStructureSet, decodeStructureSet, type RoiContour } from "./decode-rtstruct.ts";
export { decodeSeg, openSeg } from "./decode-seg.ts";
export {
  type DecodedSeries,
  type DecodeSeriesOptions,
  decodeSeries,
  type OpenedSeries,
  openSeries,
} from "./decode-series.ts";
export type { DecodedSeg, DecodedSegFrame, SegFrameGeometry } from "./decoded-seg.ts";
export { entryOfKeyword, entryOfTag } from "./dictionary.ts";
export type { Elements } from "./elements.ts";
export { encodeImageSeries, type ImageSeriesDescription } from "./encode-image.ts";
export { encodeReport } from "./encode-report.ts";
export { encodeStructureSet, type StructureSetInput, type StructureSetRoi } from "./encode-rtstruct.ts";
export { encodeSecondaryCapture, type SecondaryCaptureInput } from "./encode-secondary-capture.ts";
export { encodeSeg } from "./encode-seg.ts";
export { type AlgorithmFamily, equipment } from "./equipment.ts";
export type { InstanceSource } from "./instance-source.ts";
export { labelsOffSlices } from "./labels-off-slices.ts";
export type { LossyCompression } from "./lossy-compression.ts";
export { maskOnto } from "./mask-onto.ts";
export { isEmptyMask, type MaskSlices } from "./mask-slices.ts";
export {
  bytesOnSlices,
  maskOffSlices,
  maskOnSlices,
  probabilitiesOnSlices,
  type SlicePlaces,
} from "./onto-slices.ts";
export { IMPLEMENTATION_CLASS_UID, type Part10Options, writePart10 } from "./part10-writer.ts";
export type { Padding } from "./pixel-padding.ts";
export { type DicomFile, readPart10 } from "./read-part10.ts";
export type { DecodedSegment } from "./read-segments.ts";
export type { AbsentFinding, PresentFinding, ReportFinding, ReportInput } from "./report-input.ts";
export type { SegInput, SegSegment } from "./seg-input.ts";
export type { SegCompression, SegKind } from "./seg-kind.ts";
export { type LabelVolume, segToLabelVolume } from "./seg-to-label-volume.ts";
export type { SeriesHeader } from "./series-header.ts";
export type { PetUnits } from "./series-values.ts";
